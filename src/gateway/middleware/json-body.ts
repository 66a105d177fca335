import { isUtf8 } from "node:buffer";
import { SluiceError } from "../../core/errors.ts";

/**
 * Parses a JSON body (RFC 8259): UTF-8 only, bounded nesting.
 *
 * @throws SluiceError `invalid_argument` saying what is wrong with it
 */
export function parseJsonBody(body: Buffer, maxDepth: number): unknown {
  if (body.length === 0) throw invalidBody("The body is empty; send a JSON object.");
  if (!isUtf8(body)) throw invalidBody("The body is not valid UTF-8.");
  if (isDeeperThan(body, maxDepth)) {
    throw invalidBody(`The body nests lists and objects more than ${maxDepth} deep.`);
  }
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw invalidBody(`The body is not valid JSON: ${withoutExcerpt(reason)}.`);
  }
}

function invalidBody(message: string): SluiceError {
  return new SluiceError("invalid_argument", message, {
    details: [{ field: "body", problem: message }],
  });
}

/** Parsers quote the input in their messages; callers' texts do not belong into messages or logs. */
function withoutExcerpt(reason: string): string {
  return reason.replace(/, ("|\.\.\.).*$/s, "").replace(/ is not valid JSON$/, "");
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Looks at brackets outside strings only; needs no parse, so a bomb costs one pass over its bytes. */
function isDeeperThan(body: Buffer, maxDepth: number): boolean {
  if (!hasMoreOpenings(body, maxDepth)) return false;
  let depth = 0;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (byte === QUOTE) i = endOfString(body, i);
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    if (depth > maxDepth) return true;
  }
  return false;
}

/** Most bodies hold one brace and no bracket; finding single bytes is the runtime's fastest search. */
function hasMoreOpenings(body: Buffer, count: number): boolean {
  let openings = 0;
  for (const opening of [0x5b, 0x7b]) {
    for (let at = body.indexOf(opening); at >= 0; at = body.indexOf(opening, at + 1)) {
      if (++openings > count) return true;
    }
  }
  return false;
}

/** Position of the quote that closes the string which opens at `start`, or the body's end. */
function endOfString(body: Buffer, start: number): number {
  let i = start + 1;
  while (i < body.length && body[i] !== QUOTE) i += body[i] === BACKSLASH ? 2 : 1;
  return i;
}
