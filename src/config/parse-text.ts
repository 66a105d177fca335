import type { ValueSchema } from "./setting.ts";

const TRUE_WORDS = ["true", "1", "yes"];
const FALSE_WORDS = ["false", "0", "no"];

/**
 * Reads the text of an environment variable or flag as the type that a setting has. Text that is not wholly of
 * that type comes back as it is, for the check to refuse.
 */
export function parseText(schema: ValueSchema, text: string): unknown {
  switch (schema.type) {
    case "integer":
      return /^-?\d+$/.test(text) ? Number(text) : text;
    case "number":
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
    case "boolean":
      return parseBoolean(text);
    case "string":
      return text;
    case "array":
    case "object":
      return parseJson(text);
  }
}

function parseBoolean(text: string): unknown {
  const word = text.toLowerCase();
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : text;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a secret. The check says what was expected.
    return text;
  }
}
