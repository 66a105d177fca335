import { isDeeperThan } from "../is-deeper-than.ts";
import { malformed } from "./malformed.ts";
import { parseLoosely } from "./parse-loosely.ts";

export interface LenientJsonOptions {
  /** How deep lists and objects may nest. */
  readonly maxDepth: number;
  /** Tell `1` from `1.0`: one comes out as a bigint, the other as a number. */
  readonly tellsWholeNumbers: boolean;
}

export interface LenientJson {
  /** Whole numbers beyond 2^53 are bigints. */
  readonly value: unknown;
  /** Every number that was written as a whole one is a bigint, and every other is a number, whatever its value. */
  readonly areWholeBigInts: boolean;
}

/** Throws on bytes that are no UTF-8, and skips a byte order mark. */
const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** A number that a double may not hold exactly, or not at all. Bounded, so that no text costs more than one look. */
const BEYOND_DOUBLE = /(?<![\d.])\d{16}|[eE]\+?\d{3}/;
/** A whole number that was not written as one. */
const WHOLE_DECIMAL = /\.0{1,20}(?!\d)|\d[eE]/;

/**
 * Parses JSON as TensorFlow Serving does: bare `NaN`, `Infinity` and `-Infinity` are numbers, and bytes after the first
 * document are left alone. Everything else is as strict as RFC 8259, and takes linear time.
 *
 * @throws SluiceError `invalid_argument` with TensorFlow Serving's text
 */
export function parseLenientJson(bytes: Uint8Array, options: LenientJsonOptions): LenientJson {
  const { maxDepth, tellsWholeNumbers } = options;
  if (bytes.byteLength === 0) throw malformed("JSON Parse error: The document is empty");
  const text = decodeText(bytes);
  if (isDeeperThan(bytes, maxDepth)) {
    throw malformed(
      `JSON Parse error: lists and objects may be no more than ${maxDepth} deep within each other`,
    );
  }
  const isPlain = !BEYOND_DOUBLE.test(text) && !(tellsWholeNumbers && WHOLE_DECIMAL.test(text));
  if (isPlain) {
    try {
      return { value: JSON.parse(text), areWholeBigInts: false };
    } catch {
      // Then it is one of the things that only this dialect takes, or wrong in a way that the other parser can tell.
    }
  }
  const value = parseLoosely(bytes, { maxDepth, wholeAsBigInt: tellsWholeNumbers });
  return { value, areWholeBigInts: tellsWholeNumbers };
}

function decodeText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw malformed("JSON Parse error: Invalid encoding in string. The body must be UTF-8.");
  }
}
