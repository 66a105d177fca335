import { invalidField } from "../invalid-field.ts";
import { isDeeperThan } from "../is-deeper-than.ts";
import { quoteLongIntegers } from "./quote-long-integers.ts";

/** Throws on bytes that are no UTF-8. A byte order mark stays, and is no JSON. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What is said about bare `NaN` and `Infinity`, which some clients write and no JSON has. */
const NUMBERS_HINT = "NaN and infinities can only be sent as binary data";

/** An object out of a body, its members unchecked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object with members. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The JSON of a request or answer. */
export interface JsonPart {
  readonly fields: JsonObject;
  /**
   * The same once more, with strings of digits in place of the whole numbers that are so long that a double may not hold
   * them. Parsed when it is asked for, which only tensors of large 64-bit numbers need.
   */
  readonly exactFields: () => JsonObject;
}

/**
 * Parses the JSON of a request or answer: one object, UTF-8, of bounded nesting.
 *
 * @param maxDepth how deep lists and objects may nest
 * @throws SluiceError `invalid_argument` that says what is wrong, without quoting
 */
export function parseJsonPart(bytes: Uint8Array, maxDepth: number): JsonPart {
  if (bytes.byteLength === 0) throw invalidField("body", "is empty; send a JSON object");
  if (isDeeperThan(bytes, maxDepth)) {
    throw invalidField("body", `nests lists and objects more than ${maxDepth} deep`);
  }
  const text = decodeText(bytes);
  const fields = parseObject(text);
  let exact: JsonObject | undefined;
  return {
    fields,
    exactFields: () => {
      exact ??= parseObject(quoteLongIntegers(text));
      return exact;
    },
  };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw invalidField("body", "is not valid UTF-8");
  }
}

function parseObject(text: string): JsonObject {
  const value = parse(text);
  if (isJsonObject(value)) return value;
  throw invalidField("body", "must be a JSON object");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const hint = /\b(NaN|Infinity)\b/.test(text) ? `; ${NUMBERS_HINT}` : "";
    throw invalidField("body", `is not valid JSON${hint}`);
  }
}
