import { Buffer } from "node:buffer";
import type { TextEncoding } from "../../core/ports/tokenizer.ts";
import { CHARACTER_CLASS, shareCaseTable, shareCharacterClasses } from "./character-classes.ts";
import type { HashedNgramsSettings } from "./settings.ts";

/** Offset and prime of FNV-1a in 32 bits (Fowler, Noll, Vo; RFC 9923), applied to UTF-16 units instead of bytes. */
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;
/** Odd and far from regular (2^32 divided by the golden ratio): spreads the left word of a pair. */
const PAIR_FACTOR = 0x9e3779b1;

/** Kinds of features live in separate worlds: `good` as a word, after a negation and as a prefix are three features. */
const WORD_SEED = 0;
const NEGATED_SEED = 0x3c6ef372;
const PREFIX_SEED = 0x1b873593;
const PAIR_SEED = 0x5bd1e995;
const TRIPLE_SEED = 0x27d4eb2f;
const UNSPACED_SEED = 0x165667b1;
const MARK_SEED = 0x7feb352d;

/** Stand for the two ends of an unspaced run; control characters, so they occur in no normalized text. */
const RUN_START = 1;
const RUN_END = 2;
const EMPTY_TEXT_ID = 1;
const FIRST_FEATURE_ID = 2;
/** Runs of marks count by their first three units, so that `!!!!!` equals `!!!`. */
const MAX_MARK_UNITS = 3;
/** Ids per shared allocation: 64 KiB, some two hundred ordinary texts. */
const SLAB_IDS = 16_384;
/** Zeros behind the text: as far as any loop looks ahead. */
const END_UNITS = 4;
/** The encoding that copies a string as it is has this byte order; typed arrays have the machine's. */
const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const LETTER_N = "n".charCodeAt(0);
const LETTER_T = "t".charCodeAt(0);
const EXCLAMATION = "!".charCodeAt(0);
const QUESTION = "?".charCodeAt(0);

/**
 * Scans one text after the other and collects feature ids. Keeps scratch memory between texts, so one instance must not
 * be shared between threads; `scan` is synchronous and starts from a clean state, so sharing within a thread is safe.
 *
 * The text is copied into an array first: asking a string for one unit after the other has to find out each time how
 * the string is stored. Behind its end stand a few zeros, which are blanks by class: the loops below stop there without
 * checking for the end.
 */
export class FeatureScanner {
  readonly #settings: HashedNgramsSettings;
  readonly #classes = shareCharacterClasses();
  readonly #folded: Uint16Array;
  readonly #negations: ReadonlySet<number>;
  /** Marks the low bytes of the hashes in `#negations`: spares most words the look-up in the set. */
  readonly #maybeNegation = new Uint8Array(256);
  readonly #contractedNot = hashWord("nt");
  readonly #mask: number;
  readonly #ids: Int32Array;
  #bytes = Buffer.alloc(0);
  #units = new Uint16Array(0);
  #length = 0;
  #count = 0;
  #slab = new Int32Array(SLAB_IDS);
  #slabUsed = 0;
  /** Hash of the word before and of the one before that; 0 at the start of a phrase. */
  #previous = 0;
  #beforePrevious = 0;
  /** How many of the next words still stand under a negation. */
  #negatedWords = 0;

  constructor(settings: HashedNgramsSettings) {
    this.#settings = settings;
    this.#folded = shareCaseTable(settings.lowercase);
    this.#negations = new Set(settings.negations.map(hashWord));
    for (const hash of this.#negations) this.#maybeNegation[hash & 0xff] = 1;
    this.#mask = settings.buckets - 1;
    this.#ids = new Int32Array(settings.maxIds);
  }

  /** @param text normalized by `core/text/normalize.ts`. */
  scan(text: string): TextEncoding {
    this.#load(text);
    const units = this.#units;
    this.#count = 0;
    this.#endPhrase();
    const classes = this.#classes;
    const { maxIds } = this.#settings;
    let at = 0;
    while (at < this.#length && this.#count <= maxIds) {
      const characterClass = classes[units[at] as number];
      if (characterClass === CHARACTER_CLASS.word) at = this.#scanWord(at);
      else if (characterClass === CHARACTER_CLASS.blank) at++;
      else at = this.#scanOther(at, characterClass ?? CHARACTER_CLASS.blank);
    }
    if (this.#count === 0) this.#ids[this.#count++] = EMPTY_TEXT_ID;
    const truncated = this.#count > maxIds;
    const ids = this.#keep(truncated ? maxIds : this.#count);
    return { windows: [{ ids, secondStart: ids.length }], truncated };
  }

  #load(text: string): void {
    this.#length = text.length;
    if (text.length + END_UNITS > this.#units.length) {
      this.#units = new Uint16Array(2 * (text.length + END_UNITS));
      this.#bytes = Buffer.from(this.#units.buffer);
    }
    if (IS_LITTLE_ENDIAN) this.#bytes.write(text, 0, "utf16le");
    else for (let i = 0; i < text.length; i++) this.#units[i] = text.charCodeAt(i);
    this.#units.fill(0, text.length, text.length + END_UNITS);
  }

  /**
   * Copies the first `count` ids out of the scratch array. Short results share a larger allocation: an array buffer of
   * its own costs more than scanning the text.
   */
  #keep(count: number): Int32Array {
    if (count > SLAB_IDS / 8) return this.#ids.slice(0, count);
    if (this.#slabUsed + count > SLAB_IDS) {
      this.#slab = new Int32Array(SLAB_IDS);
      this.#slabUsed = 0;
    }
    const kept = this.#slab.subarray(this.#slabUsed, this.#slabUsed + count);
    kept.set(this.#ids.subarray(0, count));
    this.#slabUsed += count;
    return kept;
  }

  #scanOther(at: number, characterClass: number): number {
    if (characterClass === CHARACTER_CLASS.unspaced) return this.#scanUnspaced(at);
    if (characterClass === CHARACTER_CLASS.symbol) return this.#scanSymbol(at);
    return this.#scanMarks(at);
  }

  /** @returns the index behind the word, or behind the `t` of a contracted `not`. */
  #scanWord(start: number): number {
    const units = this.#units;
    const classes = this.#classes;
    const folded = this.#folded;
    const { min, max } = this.#settings.wordPrefixes;
    let hash = HASH_START;
    let hashBeforeLast = HASH_START;
    let end = start;
    let unit = units[end] as number;
    while (classes[unit] === CHARACTER_CLASS.word) {
      const length = end - start;
      if (length >= min && length <= max) this.#emit(hash ^ PREFIX_SEED);
      hashBeforeLast = hash;
      hash = Math.imul(hash ^ (folded[unit] as number), HASH_PRIME);
      unit = units[++end] as number;
    }
    if (classes[unit] === CHARACTER_CLASS.apostrophe && this.#isContractedNot(end)) {
      if (end - start > 1) this.#addWord(hashBeforeLast);
      this.#addWord(this.#contractedNot);
      return end + 2;
    }
    this.#addWord(hash);
    // The blank that nearly always follows is taken along: it means nothing, and the way back to `scan` is not free.
    return classes[unit] === CHARACTER_CLASS.blank ? end + 1 : end;
  }

  /** True for an apostrophe at `at` in `n't`, whether or not blanks were put before the `n`. */
  #isContractedNot(at: number): boolean {
    const units = this.#units;
    return (
      this.#folded[units[at - 1] as number] === LETTER_N &&
      this.#folded[units[at + 1] as number] === LETTER_T &&
      this.#classes[units[at + 2] as number] !== CHARACTER_CLASS.word
    );
  }

  #addWord(hash: number): void {
    const { wordNgrams, negationWords } = this.#settings;
    if (wordNgrams.min === 1) {
      this.#emit(hash ^ (this.#negatedWords > 0 ? NEGATED_SEED : WORD_SEED));
    }
    if (this.#previous !== 0 && wordNgrams.max >= 2) {
      const pair = Math.imul(this.#previous, PAIR_FACTOR) + hash;
      if (wordNgrams.min <= 2) this.#emit(pair ^ PAIR_SEED);
      if (this.#beforePrevious !== 0 && wordNgrams.max >= 3) {
        const left = Math.imul(this.#beforePrevious, PAIR_FACTOR) + this.#previous;
        this.#emit((Math.imul(left, PAIR_FACTOR) + hash) ^ TRIPLE_SEED);
      }
    }
    this.#beforePrevious = this.#previous;
    this.#previous = hash;
    if (this.#maybeNegation[hash & 0xff] === 1 && this.#negations.has(hash)) {
      this.#negatedWords = negationWords;
    } else if (this.#negatedWords > 0) this.#negatedWords--;
  }

  /** Every run of `min` … `max` characters, hashed backwards from its last character. */
  #scanUnspaced(start: number): number {
    const units = this.#units;
    const classes = this.#classes;
    let end = start;
    while (classes[units[end] as number] === CHARACTER_CLASS.unspaced) {
      this.#addUnspaced(start, end, units[end] as number);
      end++;
    }
    this.#addUnspaced(start, end, RUN_END);
    this.#endPhrase();
    return end;
  }

  #addUnspaced(start: number, at: number, last: number): void {
    const units = this.#units;
    const { min, max } = this.#settings.unspacedNgrams;
    let hash = Math.imul(UNSPACED_SEED ^ last, HASH_PRIME);
    if (min === 1 && last !== RUN_END) this.#emit(hash);
    for (let length = 2; length <= max; length++) {
      const first = at - length + 1;
      if (first < start - 1) return;
      const unit = first < start ? RUN_START : (units[first] as number);
      hash = Math.imul(hash ^ unit, HASH_PRIME);
      if (length >= min) this.#emit(hash);
    }
  }

  #scanSymbol(start: number): number {
    const units = this.#units;
    const unit = units[start] as number;
    let hash = Math.imul(HASH_START ^ unit, HASH_PRIME);
    let end = start + 1;
    if (unit >= 0xd800 && unit < 0xdc00 && end < this.#length) {
      hash = Math.imul(hash ^ (units[end] as number), HASH_PRIME);
      end++;
    }
    this.#emit(hash ^ MARK_SEED);
    return end;
  }

  #scanMarks(start: number): number {
    const units = this.#units;
    const classes = this.#classes;
    let hash = HASH_START;
    let end = start;
    for (;;) {
      const unit = units[end] as number;
      const characterClass = classes[unit];
      if (characterClass === CHARACTER_CLASS.phraseEnd) this.#endPhrase();
      else if (
        characterClass !== CHARACTER_CLASS.mark &&
        characterClass !== CHARACTER_CLASS.apostrophe
      ) {
        break;
      }
      if (end - start < MAX_MARK_UNITS) hash = Math.imul(hash ^ unit, HASH_PRIME);
      end++;
    }
    const first = units[start] as number;
    if (end - start > 1 || first === EXCLAMATION || first === QUESTION) {
      this.#emit(hash ^ MARK_SEED);
    }
    return end;
  }

  #endPhrase(): void {
    this.#previous = 0;
    this.#beforePrevious = 0;
    this.#negatedWords = 0;
  }

  /**
   * Spreads the hash over all bits (the finalizer of MurmurHash3 by Austin Appleby, public domain) and keeps the low
   * ones. Writes beyond `maxIds` fall on deaf ears, as typed arrays define; the count tells `scan` that they happened.
   */
  #emit(hash: number): void {
    let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    const id = (mixed ^ (mixed >>> 16)) & this.#mask;
    this.#ids[this.#count++] = id < FIRST_FEATURE_ID ? id + FIRST_FEATURE_ID : id;
  }
}

/** The hash of a word as `FeatureScanner` computes it unit by unit. */
function hashWord(word: string): number {
  let hash = HASH_START;
  for (let i = 0; i < word.length; i++) {
    hash = Math.imul(hash ^ word.charCodeAt(i), HASH_PRIME);
  }
  return hash;
}
