/**
 * Brings text into the one form that models are trained on and caches are keyed by.
 *
 * In this order: lone surrogates become U+FFFD; Unicode compatibility composition (NFKC, Unicode Standard Annex 15),
 * so that full-width letters and ligatures equal their plain forms; control characters, line breaks and every kind
 * of blank become one space; invisible formatting characters (zero-width space, direction marks, byte-order mark)
 * vanish; blanks at both ends are cut. Joiners stay, because they hold emoji and Persian words together.
 *
 * Idempotent. The result may be empty. NFKC can make text longer, at most 18 times.
 */
export function normalizeText(text: string): string {
  switch (inspect(text)) {
    case "normal":
      return text;
    case "ascii":
      return text.replace(ASCII_BLANKS, " ").trim();
    default:
      return text
        .toWellFormed()
        .normalize("NFKC")
        .replace(INVISIBLE, "")
        .replace(BLANKS, " ")
        .trim()
        .normalize("NFKC");
  }
}

/** Soft hyphen, zero-width space, direction marks and isolates, word joiner and its kin, byte-order mark. */
const INVISIBLE = /[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/gu;
/** Runs of white space and control characters (general category Cc). */
const BLANKS = /[\s\p{Cc}]+/gu;
/** The same within ASCII, leaving out the most frequent case: one blank that is one already. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const ASCII_BLANKS = /[\x00-\x1f\x7f][\x00-\x20\x7f]*| [\x00-\x20\x7f]+/g;

/** One look at every unit: most texts are in normal form already, and nearly all others need blanks tidied only. */
function inspect(text: string): "normal" | "ascii" | "unicode" {
  let isTidy = true;
  let previousBlank = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return "unicode";
    const blank = code === 0x20;
    if (code < 0x20 || code === 0x7f || (blank && previousBlank)) isTidy = false;
    previousBlank = blank;
  }
  return isTidy && (!previousBlank || text.length === 0) ? "normal" : "ascii";
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
