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

/**
 * Blocks of one class throughout: four fifths of all code units, whose look-up would take most of the time that a
 * tokenizer needs to start. First and last unit of each.
 */
const UNIFORM_BLOCKS = [
  { first: 0x3400, last: 0x4dbf, characterClass: CHARACTER_CLASS.unspaced },
  { first: 0x4e00, last: 0x9fff, characterClass: CHARACTER_CLASS.unspaced },
  { first: 0xac00, last: 0xd7a3, characterClass: CHARACTER_CLASS.word },
  { first: 0xd800, last: 0xdfff, characterClass: CHARACTER_CLASS.symbol },
  { first: 0xe000, last: 0xf8ff, characterClass: CHARACTER_CLASS.blank },
] as const;

/** In these ranges no letter has another case: Kana, Han, Yi; Hangul, surrogates, private use. */
const CASELESS_RANGES = [
  { first: 0x3000, last: 0xa63f },
  { first: 0xac00, last: 0xf8ff },
] as const;

/** The class of every UTF-16 code unit; index = code unit. */
export function createCharacterClasses(): Uint8Array {
  const classes = new Uint8Array(0x10000);
  let next = 0;
  for (const { first, last, characterClass } of UNIFORM_BLOCKS) {
    for (let code = next; code < first; code++) classes[code] = toClass(String.fromCharCode(code));
    classes.fill(characterClass, first, last + 1);
    next = last + 1;
  }
  for (let code = next; code < 0x10000; code++) classes[code] = toClass(String.fromCharCode(code));
  return classes;
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
  const table = new Uint16Array(0x10000);
  for (let code = 0; code < 0x10000; code++) table[code] = code;
  if (!lowercase) return table;
  let next = 0;
  for (const { first, last } of CASELESS_RANGES) {
    for (let code = next; code < first; code++) table[code] = toLowerUnit(code);
    next = last + 1;
  }
  for (let code = next; code < 0x10000; code++) table[code] = toLowerUnit(code);
  return table;
}

function toLowerUnit(code: number): number {
  const lower = String.fromCharCode(code).toLowerCase();
  return lower.length === 1 ? lower.charCodeAt(0) : code;
}
