/** What may come next: a value, a value or `]`, a key, a key or `}`, `:`, or what follows a value. */
type Expectation = "value" | "value or ]" | "key" | "key or }" | "colon" | "next";

const BLANKS = /[ \t\n\r]*/y;
/** A run of plain characters (no quote, no backslash, nothing below the blank), or one escape. */
const STRING_PART = /[ !#-[\]-\uffff]+|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** Where in a text: both count from 1, columns in UTF-16 units. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * The place of the first thing that does not belong into JSON (RFC 8259): engines do not always say. The end of the
 * text when something is missing there. Only for texts that `JSON.parse` refuses.
 */
export function locateJsonError(text: string): TextPosition {
  const before = text.slice(0, findError(text)).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function findError(text: string): number {
  /** The closing brackets that are still to come, the innermost last. */
  const open: ("]" | "}")[] = [];
  let expected: Expectation = "value";
  let at = skip(BLANKS, text, 0);
  while (at < text.length) {
    const next = step(text, at, expected, open);
    if (next === undefined) return at;
    expected = next.expected;
    at = skip(BLANKS, text, next.at);
  }
  return at;
}

interface Step {
  readonly at: number;
  readonly expected: Expectation;
}

/** Past one token; undefined when it is not one of those that may come here. */
function step(
  text: string,
  at: number,
  expected: Expectation,
  open: ("]" | "}")[],
): Step | undefined {
  const character = text[at];
  const isClosing = character === "]" || character === "}";
  if (isClosing) return character === open.at(-1) ? close(at, expected, open) : undefined;
  if (expected === "colon")
    return character === ":" ? { at: at + 1, expected: "value" } : undefined;
  if (expected === "next") {
    if (character !== "," || open.length === 0) return undefined;
    return { at: at + 1, expected: open.at(-1) === "}" ? "key" : "value" };
  }
  if (expected === "key" || expected === "key or }") {
    return toStep(skipString(text, at), at, "colon");
  }
  return stepIntoValue(text, at, open);
}

function stepIntoValue(text: string, at: number, open: ("]" | "}")[]): Step | undefined {
  const character = text[at];
  if (character === "{" || character === "[") {
    open.push(character === "{" ? "}" : "]");
    return { at: at + 1, expected: character === "{" ? "key or }" : "value or ]" };
  }
  return toStep(character === '"' ? skipString(text, at) : skip(SCALAR, text, at), at, "next");
}

function close(at: number, expected: Expectation, open: ("]" | "}")[]): Step | undefined {
  if (expected !== "next" && expected !== "value or ]" && expected !== "key or }") return undefined;
  open.pop();
  return { at: at + 1, expected: "next" };
}

function toStep(end: number, start: number, expected: Expectation): Step | undefined {
  return end === start ? undefined : { at: end, expected };
}

/** The index behind the string that begins at `at`; `at` itself when none does. One pattern would exhaust the stack. */
function skipString(text: string, at: number): number {
  if (text[at] !== '"') return at;
  let end = at + 1;
  for (let next = skip(STRING_PART, text, end); next > end; next = skip(STRING_PART, text, end)) {
    end = next;
  }
  return text[end] === '"' ? end + 1 : at;
}

/** The index behind the match at `at`; `at` itself when there is none. */
function skip(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
}
