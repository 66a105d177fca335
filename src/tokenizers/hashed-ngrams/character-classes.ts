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

/** What makes a class, in this order: later lines overrule earlier ones. */
const CLASS_PATTERNS: readonly (readonly [pattern: RegExp, characterClass: number])[] = [
  [/\p{S}+/gu, CHARACTER_CLASS.symbol],
  [/\p{P}+/gu, CHARACTER_CLASS.mark],
  [/[!-/:-@[-`{-~]+/g, CHARACTER_CLASS.mark],
  [/[\p{L}\p{N}\p{M}]+/gu, CHARACTER_CLASS.word],
  [
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u30fc]+/gu,
    CHARACTER_CLASS.unspaced,
  ],
  [/[.,;:!?()[\]{}\u2013\u2014\u2026\u3001\u3002\u300a-\u300f]+/g, CHARACTER_CLASS.phraseEnd],
  // Variation selectors are marks by category, but belong to the emoji before them.
  [/[\ufe00-\ufe0f]+/g, CHARACTER_CLASS.blank],
  [/['\u2019]+/g, CHARACTER_CLASS.apostrophe],
];

const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;
const UNIT_COUNT = 0x10000;
/** As many arguments as a call surely takes. */
const UNITS_PER_CALL = 0x1000;

// Tables that every scanner reads and none writes: made once, since making them keeps the thread for milliseconds, and a new
// version is loaded while others answer.
let sharedClasses: Uint8Array | undefined;
const sharedCases = new Map<boolean, Uint16Array>();

/** The class of every UTF-16 code unit; index = code unit. Not to be written to. */
export function shareCharacterClasses(): Uint8Array {
  sharedClasses ??= createCharacterClasses();
  return sharedClasses;
}

/**
 * What every UTF-16 code unit is hashed as: itself, or its lower-case form where that is one unit too. The few letters
 * that grow (such as İ) stay as they are. Not to be written to.
 */
export function shareCaseTable(lowercase: boolean): Uint16Array {
  const table = sharedCases.get(lowercase) ?? createCaseTable(lowercase);
  sharedCases.set(lowercase, table);
  return table;
}

function createCharacterClasses(): Uint8Array {
  // Matching whole runs in one string of all units takes a fifth of the time of asking for each unit.
  const units = createAllUnits();
  const classes = new Uint8Array(UNIT_COUNT);
  for (const [pattern, characterClass] of CLASS_PATTERNS) {
    for (const { index, 0: run } of units.matchAll(pattern)) {
      classes.fill(characterClass, index, index + run.length);
    }
  }
  return classes.fill(CHARACTER_CLASS.symbol, FIRST_SURROGATE, LAST_SURROGATE + 1);
}

function createCaseTable(lowercase: boolean): Uint16Array {
  const table = new Uint16Array(UNIT_COUNT);
  for (let code = 0; code < UNIT_COUNT; code++) table[code] = code;
  if (!lowercase) return table;
  for (const { index, 0: letter } of createAllUnits().matchAll(/\p{Changes_When_Lowercased}/gu)) {
    const lower = letter.toLowerCase();
    if (lower.length === 1) table[index] = lower.charCodeAt(0);
  }
  return table;
}

/** All code units in order, so that an index is a code; surrogates are blanks, lest two of them become a character. */
function createAllUnits(): string {
  const codes = new Uint16Array(UNIT_COUNT);
  for (let code = 0; code < UNIT_COUNT; code++) codes[code] = code;
  codes.fill(0x20, FIRST_SURROGATE, LAST_SURROGATE + 1);
  let units = "";
  for (let first = 0; first < UNIT_COUNT; first += UNITS_PER_CALL) {
    units += String.fromCharCode(...codes.subarray(first, first + UNITS_PER_CALL));
  }
  return units;
}
