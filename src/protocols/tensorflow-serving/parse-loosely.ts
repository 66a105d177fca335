import type { SluiceError } from "../../core/errors.ts";
import { malformed } from "./malformed.ts";

export interface LooseParserOptions {
  readonly maxDepth: number;
  /** All whole numbers as bigints, not only those beyond 2^53. */
  readonly wholeAsBigInt: boolean;
}

/** Where the parser is. */
interface Cursor extends LooseParserOptions {
  readonly bytes: Buffer;
  at: number;
  depth: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const FIRST_PRINTABLE = 0x20;

/** Bare words that stand for a value. Longer ones before those that they begin with. */
const WORDS: readonly (readonly [word: string, value: boolean | number | null])[] = [
  ["true", true],
  ["false", false],
  ["null", null],
  ["NaN", Number.NaN],
  ["-NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["Inf", Number.POSITIVE_INFINITY],
  ["-Inf", Number.NEGATIVE_INFINITY],
];

const NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
/** As many as the longest whole number of 64 bits has; a longer one is a double. */
const MAX_WHOLE_LENGTH = 20;

/**
 * A JSON parser that knows bare `NaN` and infinities, keeps whole numbers exact and stops behind the first document.
 *
 * @param source UTF-8
 * @throws SluiceError `invalid_argument` that says what is wrong, and where
 */
export function parseLoosely(source: Uint8Array, options: LooseParserOptions): unknown {
  const bytes = Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  const hasMark = bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xef_bb_bf;
  const cursor: Cursor = { ...options, bytes, at: hasMark ? 3 : 0, depth: 0 };
  skipBlanks(cursor);
  if (cursor.at >= bytes.length) throw wrong(cursor, "The document is empty.");
  return parseValue(cursor);
}

function parseValue(cursor: Cursor): unknown {
  switch (cursor.bytes[cursor.at]) {
    case QUOTE:
      return parseString(cursor);
    case OPEN_LIST:
      return parseList(cursor);
    case OPEN_OBJECT:
      return parseObject(cursor);
    default:
      return parseBare(cursor);
  }
}

function parseList(cursor: Cursor): unknown[] {
  enter(cursor);
  const list: unknown[] = [];
  if (skipOver(cursor, CLOSE_LIST)) return leave(cursor, list);
  for (;;) {
    list.push(parseValue(cursor));
    skipBlanks(cursor);
    if (skipOver(cursor, CLOSE_LIST)) return leave(cursor, list);
    if (!skipOver(cursor, COMMA)) {
      throw wrong(cursor, "Missing a comma or ] after an array element.");
    }
  }
}

function parseObject(cursor: Cursor): object {
  enter(cursor);
  // Without a prototype, so that no name means anything but itself.
  const object = Object.create(null) as Record<string, unknown>;
  if (skipOver(cursor, CLOSE_OBJECT)) return leave(cursor, object);
  for (;;) {
    if (cursor.bytes[cursor.at] !== QUOTE) {
      throw wrong(cursor, "Missing a name for object member.");
    }
    const name = parseString(cursor);
    skipBlanks(cursor);
    if (!skipOver(cursor, COLON)) {
      throw wrong(cursor, "Missing a colon after a name of object member.");
    }
    object[name] = parseValue(cursor);
    skipBlanks(cursor);
    if (skipOver(cursor, CLOSE_OBJECT)) return leave(cursor, object);
    if (!skipOver(cursor, COMMA)) {
      throw wrong(cursor, "Missing a comma or } after an object member.");
    }
  }
}

function enter(cursor: Cursor): void {
  cursor.depth++;
  if (cursor.depth > cursor.maxDepth) {
    throw wrong(cursor, `More than ${cursor.maxDepth} lists and objects within each other.`);
  }
  cursor.at++;
  skipBlanks(cursor);
}

function leave<Value>(cursor: Cursor, value: Value): Value {
  cursor.depth--;
  return value;
}

function parseString(cursor: Cursor): string {
  const { bytes } = cursor;
  const start = cursor.at;
  let end = start + 1;
  let hasEscapes = false;
  for (; bytes[end] !== QUOTE; end++) {
    const byte = bytes[end];
    if (byte === undefined) throw wrong(cursor, "Missing a closing quotation mark in string.");
    if (byte < FIRST_PRINTABLE) throw wrong(cursor, "Invalid encoding in string.");
    if (byte !== BACKSLASH) continue;
    hasEscapes = true;
    end++;
  }
  cursor.at = end + 1;
  if (!hasEscapes) return bytes.toString("utf8", start + 1, end);
  try {
    return JSON.parse(bytes.toString("utf8", start, end + 1)) as string;
  } catch {
    cursor.at = start;
    throw wrong(cursor, "Invalid escape character in string.");
  }
}

/** A number, or a word that stands for a value. */
function parseBare(cursor: Cursor): unknown {
  const { bytes, at } = cursor;
  let end = at;
  while (isNumberByte(bytes[end])) end++;
  const word = end - at <= 1 ? findWord(cursor) : undefined;
  if (word !== undefined) {
    cursor.at += word[0].length;
    return word[1];
  }
  const text = bytes.toString("latin1", at, end);
  const parts = NUMBER.exec(text);
  if (parts === null) throw wrong(cursor, "Invalid value.");
  cursor.at = end;
  const isWhole = parts[1] === undefined && parts[2] === undefined;
  const value = Number(text);
  if (isWhole && text.length <= MAX_WHOLE_LENGTH) {
    // -0 is a whole number, and no bigint.
    if (Object.is(value, -0)) return cursor.wholeAsBigInt ? 0n : value;
    return cursor.wholeAsBigInt || !Number.isSafeInteger(value) ? BigInt(text) : value;
  }
  if (Number.isFinite(value)) return value;
  cursor.at = at;
  throw wrong(cursor, "Number too big to be stored in double.");
}

function findWord({ bytes, at }: Cursor): (typeof WORDS)[number] | undefined {
  return WORDS.find(([word]) => bytes.toString("latin1", at, at + word.length) === word);
}

/** Digits, signs, the point, and the letter of an exponent. */
function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2e ||
    byte === 0x2b ||
    byte === 0x65 ||
    byte === 0x45
  );
}

/** Steps over `byte` and the blanks behind it, if it is there. */
function skipOver(cursor: Cursor, byte: number): boolean {
  if (cursor.bytes[cursor.at] !== byte) return false;
  cursor.at++;
  // Behind the end of the document is nothing to look at.
  if (cursor.depth > 1 || (byte !== CLOSE_LIST && byte !== CLOSE_OBJECT)) skipBlanks(cursor);
  return true;
}

function skipBlanks(cursor: Cursor): void {
  const { bytes } = cursor;
  for (;;) {
    const byte = bytes[cursor.at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
    cursor.at++;
  }
}

function wrong({ at }: Cursor, reason: string): SluiceError {
  return malformed(`JSON Parse error: ${reason} at offset: ${at}`);
}
