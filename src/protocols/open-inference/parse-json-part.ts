import { invalidField } from "../invalid-field.ts";
import { quoteLongIntegers } from "./quote-long-integers.ts";

/** Throws on bytes that are no UTF-8. A byte order mark stays, and is no JSON. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What is said about bare `NaN` and `Infinity`, which some clients write and no JSON has. */
const NUMBERS_HINT = "NaN and infinities can only be sent as binary data";

/** An object out of a body, its members unchecked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed value is an object with members. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses the JSON of a request or answer: one object, UTF-8, of bounded nesting. Whole numbers that a double cannot
 * hold become strings of digits where 64-bit tensors are among the members.
 *
 * @param maxDepth how deep lists and objects may nest
 * @throws SluiceError `invalid_argument` that says what is wrong, without quoting
 */
export function parseJsonPart(bytes: Uint8Array, maxDepth: number): JsonObject {
  if (bytes.byteLength === 0) throw invalidField("body", "is empty; send a JSON object");
  if (isDeeperThan(bytes, maxDepth)) {
    throw invalidField("body", `nests lists and objects more than ${maxDepth} deep`);
  }
  const value = parse(decodeText(bytes));
  if (isJsonObject(value)) return value;
  throw invalidField("body", "must be a JSON object");
}

function decodeText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw invalidField("body", "is not valid UTF-8");
  }
}

function parse(text: string): unknown {
  const has64Bits = text.includes('INT64"');
  try {
    return JSON.parse(has64Bits ? quoteLongIntegers(text) : text);
  } catch {
    const hint = /\b(NaN|Infinity)\b/.test(text) ? `; ${NUMBERS_HINT}` : "";
    throw invalidField("body", `is not valid JSON${hint}`);
  }
}

/** Looks at brackets outside strings only; needs no parse, so a bomb costs one pass over its bytes. */
function isDeeperThan(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) i = endOfString(bytes, i);
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Position of the quote that closes the string which opens at `start`, or the end of the bytes. */
function endOfString(bytes: Uint8Array, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return i;
}
