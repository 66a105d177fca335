/** Whole numbers of fewer digits are exact as doubles. */
const MIN_DIGITS = 16;

const QUOTE = 0x22;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * JSON with quotes around every whole number of 16 digits and more, so that a parser keeps all digits. Everything else
 * stays as it is, also text that is no JSON. One pass.
 */
export function quoteLongIntegers(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  const parts: string[] = [];
  let done = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = endOfString(text, i);
    } else if (code === MINUS || isDigit(code)) {
      const end = endOfNumber(text, i);
      if (isLongInteger(text, i, end)) {
        parts.push(text.slice(done, i), '"', text.slice(i, end), '"');
        done = end;
      }
      i = end - 1;
    }
  }
  if (done === 0) return text;
  parts.push(text.slice(done));
  return parts.join("");
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== QUOTE) {
    i += text.charCodeAt(i) === BACKSLASH ? 2 : 1;
  }
  return i;
}

/** After the last character of a number: digits, signs, a point, an exponent. */
function endOfNumber(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && (isDigit(text.charCodeAt(i)) || "+-.eE".includes(text.charAt(i)))) i++;
  return i;
}

/** A leading zero is left to the parser, which refuses it. */
function isLongInteger(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start;
  if (end - first < MIN_DIGITS || text.charCodeAt(first) === ZERO) return false;
  for (let i = first; i < end; i++) if (!isDigit(text.charCodeAt(i))) return false;
  return true;
}
