import { CHARACTER_KIND, CharacterTable } from "./character-table.ts";
import type { Vocabulary } from "./vocabulary.ts";
import { HASH_PRIME, HASH_START, toUnits } from "./vocabulary.ts";
import type { WordPieceFile } from "./wordpiece-file.ts";

/** Units of the longest text for which scratch memory is kept. */
const KEPT_UNITS = 65_536;
const START_IDS = 1024;
const FIRST_HIGH_SURROGATE = 0xd800;
const FIRST_LOW_SURROGATE = 0xdc00;
const LAST_SURROGATE = 0xdfff;
const FIRST_ASTRAL = 0x10000;

/**
 * Cuts one text after the other into words and the words into tokens. Keeps scratch memory between texts, so one
 * instance must not be shared between threads; every scan is synchronous and starts from a clean state.
 *
 * Words are put together unit by unit, already normalized, together with their hash: the vocabulary answers for a word
 * that it has without a string being made. Words that it lacks are taken apart, the longest known beginning first (the
 * algorithm of BERT's WordPiece).
 */
export class WordScanner {
  readonly #characters: CharacterTable;
  readonly #vocabulary: Vocabulary;
  readonly #unknownId: number;
  readonly #maxCharacters: number;
  /** The current word. What goes beyond it falls on deaf ears, as typed arrays define; such a word is unknown. */
  readonly #word: Uint16Array;
  /** Hash of the current piece up to each of its units. */
  readonly #hashes: Int32Array;
  #length = 0;
  /** Characters of the current word that take two units. */
  #astral = 0;
  #hash = HASH_START | 0;
  #units = new Uint16Array(1024);
  #ids = new Int32Array(START_IDS);
  #count = 0;

  constructor(file: Omit<WordPieceFile, "addedTokens" | "template">) {
    this.#characters = new CharacterTable(file.normalizer);
    this.#vocabulary = file.vocabulary;
    this.#unknownId = file.unknownId;
    this.#maxCharacters = file.maxWordCharacters;
    this.#word = new Uint16Array(2 * file.maxWordCharacters + 2);
    this.#hashes = new Int32Array(file.vocabulary.longestUnits + 1);
  }

  /** How many ids there are since `clear`. */
  get count(): number {
    return this.#count;
  }

  /** The ids since `clear`; good until the next one. */
  get ids(): Int32Array {
    return this.#ids.subarray(0, this.#count);
  }

  clear(): void {
    this.#count = 0;
    if (this.#ids.length > KEPT_UNITS) this.#ids = new Int32Array(START_IDS);
  }

  /** Adds one id as it is. */
  add(id: number): void {
    if (this.#count === this.#ids.length) this.#grow(1);
    this.#ids[this.#count++] = id;
  }

  /** Adds the ids of a text; stops early once there are more than `limit`. */
  scan(text: string, limit: number): void {
    const units = this.#load(text);
    const end = text.length;
    const { kinds, mapped } = this.#characters;
    const word = this.#word;
    let at = 0;
    while (at < end && this.#count <= limit) {
      let length = this.#length;
      let hash = this.#hash;
      let unit = units[at] as number;
      while (kinds[unit] === CHARACTER_KIND.word && at < end) {
        const to = mapped[unit] as number;
        word[length++] = to;
        hash = Math.imul(hash ^ to, HASH_PRIME);
        unit = units[++at] as number;
      }
      this.#length = length;
      this.#hash = hash;
      if (at === end) break;
      if (kinds[unit] === CHARACTER_KIND.blank) {
        if (length > 0) this.#endWord();
        at++;
      } else at = this.#scanOther(at, end);
    }
    this.#endWord();
  }

  #load(text: string): Uint16Array {
    if (this.#units.length > KEPT_UNITS) this.#units = new Uint16Array(1024);
    const needed = text.length + 1;
    if (needed > this.#units.length) this.#units = new Uint16Array(2 * needed);
    return toUnits(text, this.#units);
  }

  /** One character that is neither the next of a word nor a blank. @returns the index behind it */
  #scanOther(at: number, end: number): number {
    const unit = this.#units[at] as number;
    const characters = this.#characters;
    const kind = characters.kindOf(unit);
    if (kind === CHARACTER_KIND.surrogate) return this.#scanSurrogate(at, end);
    if (kind === CHARACTER_KIND.several) this.#addSeveral(unit);
    else this.#addCharacter(kind, characters.mapped[unit] as number);
    return at + 1;
  }

  /** A character beyond U+FFFF, or a lone surrogate, which stands for a lost character. */
  #scanSurrogate(at: number, end: number): number {
    const high = this.#units[at] as number;
    const low = at + 1 < end ? (this.#units[at + 1] as number) : 0;
    const characters = this.#characters;
    if (high >= FIRST_LOW_SURROGATE || low < FIRST_LOW_SURROGATE || low > LAST_SURROGATE) {
      const lost = 0xfffd;
      this.#addCharacter(characters.kindOf(lost), characters.mapped[lost] as number);
      return at + 1;
    }
    const code = FIRST_ASTRAL + (high - FIRST_HIGH_SURROGATE) * 0x400 + (low - FIRST_LOW_SURROGATE);
    const kind = characters.astralKindOf(code);
    if (kind === CHARACTER_KIND.several) this.#addSeveral(code);
    else this.#addCharacter(kind, characters.astralMapped(code));
    return at + 2;
  }

  #addSeveral(codePoint: number): void {
    const characters = this.#characters;
    const isAlone = characters.isChinese(codePoint);
    for (const to of characters.severalOf(codePoint)) {
      this.#addCharacter(isAlone ? CHARACTER_KIND.alone : characters.finalKindOf(to), to);
    }
  }

  #addCharacter(kind: number, to: number): void {
    if (kind === CHARACTER_KIND.dropped) return;
    if (kind !== CHARACTER_KIND.word) this.#endWord();
    if (kind === CHARACTER_KIND.blank) return;
    this.#append(to);
    if (kind !== CHARACTER_KIND.word) this.#endWord();
  }

  #append(codePoint: number): void {
    if (codePoint < FIRST_ASTRAL) {
      this.#appendUnit(codePoint);
      return;
    }
    this.#astral++;
    const offset = codePoint - FIRST_ASTRAL;
    this.#appendUnit(FIRST_HIGH_SURROGATE + (offset >> 10));
    this.#appendUnit(FIRST_LOW_SURROGATE + (offset & 0x3ff));
  }

  #appendUnit(unit: number): void {
    this.#word[this.#length++] = unit;
    this.#hash = Math.imul(this.#hash ^ unit, HASH_PRIME);
  }

  #endWord(): void {
    const length = this.#length;
    if (length === 0) return;
    const characters = length - this.#astral;
    const most = Math.min(length, 2 * this.#maxCharacters) + 1;
    if (this.#count + most > this.#ids.length) this.#grow(most);
    if (characters > this.#maxCharacters) this.add(this.#unknownId);
    else {
      const id = this.#vocabulary.find(this.#word, 0, length, this.#hash, false);
      if (id >= 0) this.#ids[this.#count++] = id;
      else this.#addPieces(length);
    }
    this.#length = 0;
    this.#astral = 0;
    this.#hash = HASH_START | 0;
  }

  /** A word that the vocabulary lacks: all its pieces, or the unknown token when one part is no piece. */
  #addPieces(length: number): void {
    const vocabulary = this.#vocabulary;
    const word = this.#word;
    const hashes = this.#hashes;
    const first = this.#count;
    let from = 0;
    while (from < length) {
      const isInside = from > 0;
      let hash = isInside ? vocabulary.insideHashStart : HASH_START | 0;
      const most = Math.min(length - from, vocabulary.longestUnits);
      for (let i = 0; i < most; i++) {
        hash = Math.imul(hash ^ (word[from + i] as number), HASH_PRIME);
        hashes[i] = hash;
      }
      let units = most;
      let id = -1;
      while (units > 0 && id < 0) {
        id = vocabulary.find(word, from, from + units, hashes[units - 1] as number, isInside);
        if (id < 0) units--;
      }
      if (id < 0) {
        this.#count = first;
        this.add(this.#unknownId);
        return;
      }
      this.#ids[this.#count++] = id;
      from += units;
    }
  }

  #grow(least: number): void {
    const grown = new Int32Array(2 * (this.#ids.length + least));
    grown.set(this.#ids);
    this.#ids = grown;
  }
}
