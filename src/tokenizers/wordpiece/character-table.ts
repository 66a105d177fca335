import { UNICODE_DIFFERENCES } from "./unicode-differences.ts";

/** What becomes of a character. Numbers, so that a table of all characters is one flat array. */
export const CHARACTER_KIND = {
  /** Its page has not been filled in yet. */
  unknown: 0,
  /** Part of a word, as the character it maps to. */
  word: 1,
  /** Ends a word, means nothing itself. */
  blank: 2,
  /** A word of its own, as the character it maps to: punctuation, Chinese characters. */
  alone: 3,
  /** Vanishes: control characters, accents. Does not end a word. */
  dropped: 4,
  /** Becomes several characters, such as the letters of a Korean syllable. */
  several: 5,
  /** Half of a character beyond U+FFFF. */
  surrogate: 6,
} as const;

/** How a BERT tokenizer prepares a text, named as in `normalizer` of a `tokenizer.json`. */
export interface BertNormalizerSettings {
  readonly cleanText: boolean;
  readonly handleChineseChars: boolean;
  readonly stripAccents: boolean;
  readonly lowercase: boolean;
}

const PAGE_SIZE = 256;
const UNIT_COUNT = 0x10000;
const FIRST_SURROGATE = 0xd800;
const LAST_SURROGATE = 0xdfff;
const REPLACEMENT = 0xfffd;

/** The blocks that the original BERT counts as Chinese; later ones are missing there too. */
const CHINESE_BLOCKS = toTest(
  "3400-4dbf 4e00-9fff f900-faff 20000-2a6df 2a700-2b73f 2b740-2b81f 2b920-2ceaf 2f800-2fa1f",
);
const ASCII_PUNCTUATION = toTest("21-2f 3a-40 5b-60 7b-7e");
const NOT_PUNCTUATION = toTest(UNICODE_DIFFERENCES.notPunctuation);
const PUNCTUATION = toTest(UNICODE_DIFFERENCES.punctuation);
const KEPT_MARKS = toTest(UNICODE_DIFFERENCES.keptMarks);
const STRIPPED_MARKS = toTest(UNICODE_DIFFERENCES.strippedMarks);
const KEPT_FORMATS = toTest(UNICODE_DIFFERENCES.keptFormats);
const UNDECOMPOSED = toTest(UNICODE_DIFFERENCES.undecomposed);

/** The characters of one page beyond U+FFFF. */
interface Page {
  readonly kinds: Uint8Array;
  readonly mapped: Uint32Array;
}

/**
 * Everything that BertNormalizer and BertPreTokenizer of the Hugging Face tokenizers do to a character, worked out
 * beforehand: they look at each by itself. (One exception is left out: Unicode puts several marks on one letter in a
 * canonical order, which matters only where marks stay that are no accents, in a few rare scripts.)
 *
 * Filled page by page as texts need it, which keeps the start short; grows to a few megabytes at most, when every
 * character of Unicode has been seen.
 */
export class CharacterTable {
  /** Kind of every UTF-16 unit; `unknown` means: call `kindOf`. */
  readonly kinds = new Uint8Array(UNIT_COUNT).fill(
    CHARACTER_KIND.surrogate,
    FIRST_SURROGATE,
    LAST_SURROGATE + 1,
  );
  /** What a unit becomes, where its kind is `word` or `alone`. */
  readonly mapped = new Uint16Array(UNIT_COUNT);
  readonly #settings: BertNormalizerSettings;
  readonly #pages = new Map<number, Page>();
  readonly #several = new Map<number, readonly number[]>();

  constructor(settings: BertNormalizerSettings) {
    this.#settings = settings;
    this.kindOf(0);
  }

  /** @param codePoint below U+10000, and no surrogate */
  kindOf(codePoint: number): number {
    const known = this.kinds[codePoint] as number;
    if (known !== CHARACTER_KIND.unknown) return known;
    const first = codePoint - (codePoint % PAGE_SIZE);
    for (let code = first; code < first + PAGE_SIZE; code++) {
      const { kind, to } = this.#work(code);
      this.kinds[code] = kind;
      this.mapped[code] = to;
    }
    return this.kinds[codePoint] as number;
  }

  /** Kind of a character beyond U+FFFF. */
  astralKindOf(codePoint: number): number {
    return this.#pageOf(codePoint).kinds[codePoint % PAGE_SIZE] as number;
  }

  /** What a character beyond U+FFFF becomes, where its kind is `word` or `alone`. */
  astralMapped(codePoint: number): number {
    return this.#pageOf(codePoint).mapped[codePoint % PAGE_SIZE] as number;
  }

  /** The code points that a character of kind `several` becomes. */
  severalOf(codePoint: number): readonly number[] {
    const known = this.#several.get(codePoint);
    if (known !== undefined) return known;
    const codes = [...this.#normalize(codePoint)].map(toCodePoint);
    this.#several.set(codePoint, codes);
    return codes;
  }

  /** True for a character that is set apart before it is normalized. */
  isChinese(codePoint: number): boolean {
    return this.#settings.handleChineseChars && CHINESE_BLOCKS(codePoint);
  }

  /** What the pre-tokenizer sees in a character that is normalized already: `word`, `blank` or `alone`. */
  finalKindOf(codePoint: number): number {
    const character = String.fromCodePoint(codePoint);
    if (/\p{White_Space}/u.test(character)) return CHARACTER_KIND.blank;
    return isPunctuation(codePoint, character) ? CHARACTER_KIND.alone : CHARACTER_KIND.word;
  }

  #pageOf(codePoint: number): Page {
    const index = Math.floor(codePoint / PAGE_SIZE);
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    const page = { kinds: new Uint8Array(PAGE_SIZE), mapped: new Uint32Array(PAGE_SIZE) };
    for (let i = 0; i < PAGE_SIZE; i++) {
      const { kind, to } = this.#work(index * PAGE_SIZE + i);
      page.kinds[i] = kind;
      page.mapped[i] = to;
    }
    this.#pages.set(index, page);
    return page;
  }

  #work(codePoint: number): { readonly kind: number; readonly to: number } {
    if (codePoint >= FIRST_SURROGATE && codePoint <= LAST_SURROGATE) {
      return { kind: CHARACTER_KIND.surrogate, to: REPLACEMENT };
    }
    const { cleanText } = this.#settings;
    if (cleanText && isRemoved(codePoint)) return { kind: CHARACTER_KIND.dropped, to: 0 };
    const character = String.fromCodePoint(codePoint);
    if (cleanText && /\p{White_Space}/u.test(character)) {
      return { kind: CHARACTER_KIND.blank, to: 0 };
    }
    const normalized = this.#normalize(codePoint);
    if (normalized === "") return { kind: CHARACTER_KIND.dropped, to: 0 };
    const to = toCodePoint(normalized);
    if (normalized.length > (to > 0xffff ? 2 : 1)) return { kind: CHARACTER_KIND.several, to: 0 };
    // The tables of the basic plane hold single units; nothing there maps beyond it but a few compatibility ideographs.
    if (codePoint <= 0xffff && to > 0xffff) return { kind: CHARACTER_KIND.several, to: 0 };
    if (this.isChinese(codePoint)) return { kind: CHARACTER_KIND.alone, to };
    return { kind: this.finalKindOf(to), to };
  }

  #normalize(codePoint: number): string {
    const { stripAccents, lowercase } = this.#settings;
    const character = String.fromCodePoint(codePoint);
    const stripped = stripAccents ? withoutAccents(codePoint, character) : character;
    return lowercase ? [...stripped].map((one) => one.toLowerCase()).join("") : stripped;
  }
}

function withoutAccents(codePoint: number, character: string): string {
  const parts = UNDECOMPOSED(codePoint) ? [character] : [...character.normalize("NFD")];
  return parts.filter((part) => !isAccent(toCodePoint(part), part)).join("");
}

function isAccent(codePoint: number, character: string): boolean {
  if (/\p{Mn}/u.test(character)) return !KEPT_MARKS(codePoint);
  return STRIPPED_MARKS(codePoint);
}

function isPunctuation(codePoint: number, character: string): boolean {
  if (codePoint < 0x80) return ASCII_PUNCTUATION(codePoint);
  if (/\p{P}/u.test(character)) return !NOT_PUNCTUATION(codePoint);
  return PUNCTUATION(codePoint);
}

/** Control, formatting and private-use characters, and what stands for characters that got lost. */
function isRemoved(codePoint: number): boolean {
  if (codePoint === REPLACEMENT) return true;
  if (codePoint === 0x09 || codePoint === 0x0a || codePoint === 0x0d) return false;
  return /[\p{Cc}\p{Cf}\p{Co}]/u.test(String.fromCodePoint(codePoint)) && !KEPT_FORMATS(codePoint);
}

function toCodePoint(character: string): number {
  return character.codePointAt(0) ?? 0;
}

/** A test for code points in ranges such as `21-2f 3a`. */
function toTest(ranges: string): (codePoint: number) => boolean {
  const bounds = ranges.split(" ").map((range) => {
    const [first = "", last = first] = range.split("-");
    return { first: Number.parseInt(first, 16), last: Number.parseInt(last, 16) };
  });
  return (codePoint) => bounds.some(({ first, last }) => codePoint >= first && codePoint <= last);
}
