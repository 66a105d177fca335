/**
 * What the scanner does at one UTF-16 code unit. Numbers, so that the table of all 65,536 units is one flat array.
 */
export const CHARACTER_CLASS = {
  /** Blanks and everything that is nothing else: ends a word, means nothing itself. */
  blank: 0,
  /** Letter, digit or mark of a script that writes blanks between words. */
  word: 1,
  /** Character of a script without blanks between words: Han, Kana, Thai, Lao, Khmer, Myanmar. */
  unspaced: 2,
  /** Punctuation that ends a phrase. `!`, `?` and runs such as `:)` or `...` are features themselves. */
  phraseEnd: 3,
  /** Symbols beyond ASCII, emoji included (halves of surrogate pairs too): each is a feature. */
  symbol: 4,
  /** Apostrophe: separates words, apart from the `n't` of a contraction. */
  apostrophe: 5,
  /** Other punctuation and ASCII signs: a feature only in a run such as `=)` or `***`. */
  mark: 6,
} as const;

const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]/u;
const WORD = /[\p{L}\p{N}\p{M}]/u;
const PHRASE_END = /[.,;:!?()[\]{}\u2013\u2014\u2026\u3001\u3002\u300a-\u300f]/;
const ASCII_SIGN = /[!-/:-@[-`{-~]/;
const PUNCTUATION = /\p{P}/u;
const SYMBOL = /[\p{S}\p{Cs}]/u;
/** Variation selectors are marks by category, but belong to the emoji before them. */
const VARIATION_SELECTOR = /[\ufe00-\ufe0f]/u;

/** The class of every UTF-16 code unit; index = code unit. */
export function createCharacterClasses(): Uint8Array {
  return Uint8Array.from({ length: 0x10000 }, (_, code) => toClass(String.fromCharCode(code)));
}

function toClass(character: string): number {
  if (character === "'" || character === "\u2019") return CHARACTER_CLASS.apostrophe;
  if (VARIATION_SELECTOR.test(character)) return CHARACTER_CLASS.blank;
  if (PHRASE_END.test(character)) return CHARACTER_CLASS.phraseEnd;
  if (UNSPACED.test(character)) return CHARACTER_CLASS.unspaced;
  if (WORD.test(character)) return CHARACTER_CLASS.word;
  if (ASCII_SIGN.test(character) || PUNCTUATION.test(character)) return CHARACTER_CLASS.mark;
  return SYMBOL.test(character) ? CHARACTER_CLASS.symbol : CHARACTER_CLASS.blank;
}

/**
 * What every UTF-16 code unit is hashed as: itself, or its lower-case form where that is one unit too. The few letters
 * that grow (such as İ) stay as they are.
 */
export function createCaseTable(lowercase: boolean): Uint16Array {
  return Uint16Array.from({ length: 0x10000 }, (_, code) => {
    if (!lowercase) return code;
    const lower = String.fromCharCode(code).toLowerCase();
    return lower.length === 1 ? lower.charCodeAt(0) : code;
  });
}
