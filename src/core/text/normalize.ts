/**
 * Brings text into the one form that models are trained on and caches are keyed by.
 *
 * In this order: lone surrogates become U+FFFD; Unicode compatibility composition (NFKC, Unicode Standard Annex 15),
 * so that full-width letters and ligatures equal their plain forms; control characters, line breaks and every kind
 * of blank become one space; invisible formatting characters (zero-width space, direction marks, byte-order mark)
 * vanish; of more than 30 marks on one character the rest vanish; blanks at both ends are cut. Joiners stay, because they hold emoji and Persian words together.
 *
 * Idempotent. The result may be empty. NFKC can make text longer, at most 18 times.
 */
export function normalizeText(text: string): string {
  if (UNUSUAL.test(text)) return normalizeUnusual(text);
  return UNTIDY.test(text) ? tidyBlanks(text) : text;
}

/** Anything but printable ASCII and line ends: what takes the long way. */
const UNUSUAL = /[^\x20-\x7e\n\r\t]/;
/** Blanks at an end or side by side, or other blanks than the space. */
const UNTIDY = /^ | $| {2}|[\n\r\t]/;

function normalizeUnusual(text: string): string {
  return text
    .toWellFormed()
    .replace(PILED_MARKS, "$1")
    .normalize("NFKC")
    .replace(PILED_MARKS, "$1")
    .replace(INVISIBLE, "")
    .replace(BLANKS, " ")
    .trim()
    .normalize("NFKC");
}

/**
 * More marks on one character than any writing has: sorting them takes time that grows with the square of their number.
 * 30 is the limit of the Stream-Safe Text Format (Unicode Standard Annex 15, section 13).
 */
const PILED_MARKS = /(\p{M}{30})\p{M}+/gu;
/** Soft hyphen, zero-width space, direction marks and isolates, word joiner and its kin, byte-order mark. */
const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;
/** Runs of white space and control characters (general category Cc). */
const BLANKS = /[\s\p{Cc}]+/gu;

/** Splitting and searching for plain strings is several times as fast as one pattern for all runs of blanks. */
function tidyBlanks(text: string): string {
  let tidy = text;
  for (const blank of ["\r", "\t"]) {
    if (tidy.includes(blank)) tidy = tidy.replaceAll(blank, " ");
  }
  const lines = tidy.split("\n").map((line) => line.trim());
  tidy = lines.filter((line) => line !== "").join(" ");
  while (tidy.includes("  ")) tidy = tidy.replaceAll("  ", " ");
  return tidy;
}

/** Number of Unicode code points, which is what people and JSON Schema's maxLength count. */
export function countCharacters(text: string): number {
  let surrogatePairs = 0;
  for (let i = 0; i + 1 < text.length; i++) {
    const high = text.charCodeAt(i);
    if (high < 0xd800 || high > 0xdbff) continue;
    const low = text.charCodeAt(i + 1);
    if (low >= 0xdc00 && low <= 0xdfff) {
      surrogatePairs++;
      i++;
    }
  }
  return text.length - surrogatePairs;
}
