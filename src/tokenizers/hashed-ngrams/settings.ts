import type { FieldProblem } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";

/** Lengths of n-grams, both ends included. */
export interface NgramRange {
  readonly min: number;
  readonly max: number;
}

/**
 * The `tokenizer` object of a manifest whose `kind` is `hashed-ngrams`. The ids that a model was trained with depend on
 * every one of these, so a manifest states them all.
 */
export interface HashedNgramsSettings {
  readonly kind: "hashed-ngrams";
  /** Generation of the hash functions and scanning rules. Another number would mean other ids for the same text. */
  readonly revision: 1;
  /** Ids are 0 … buckets - 1; a power of two, 16 … 2^24. 0 is padding, 1 stands for a text without any feature. */
  readonly buckets: number;
  /** Whether `Good` and `good` are the same word. */
  readonly lowercase: boolean;
  /** Runs of 1 … 3 words, not across punctuation. */
  readonly wordNgrams: NgramRange;
  /** Beginnings of longer words, by length in UTF-16 units (a cheap stem); `max: 0` turns them off. */
  readonly wordPrefixes: NgramRange;
  /** Runs of 1 … 4 characters in scripts without blanks between words; both ends of a run count as a character. */
  readonly unspacedNgrams: NgramRange;
  /** After a negation this many words of the phrase become features of their own (`not good` ≠ `good`); 0: off. */
  readonly negationWords: number;
  /** The words that negate, in lower case; `nt` is the `n't` of `didn't`. */
  readonly negations: readonly string[];
  /** Reading stops after this many features; the text then counts as truncated. 16 … 65,536. */
  readonly maxIds: number;
}

/** What `sluice train` uses where nothing else is said. */
export const DEFAULT_HASHED_NGRAMS_SETTINGS: HashedNgramsSettings = {
  kind: "hashed-ngrams",
  revision: 1,
  buckets: 2 ** 18,
  lowercase: true,
  wordNgrams: { min: 1, max: 2 },
  wordPrefixes: { min: 3, max: 6 },
  unspacedNgrams: { min: 1, max: 3 },
  negationWords: 3,
  negations: ["not", "no", "never", "nt", "cannot", "without", "nor", "neither", "hardly"],
  maxIds: 16_384,
};

/**
 * Checks the `tokenizer` object of a manifest.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong setting.
 */
export function parseHashedNgramsSettings(settings: unknown): HashedNgramsSettings {
  if (!isRecord(settings)) {
    throw new SluiceError("invalid_argument", "The tokenizer settings must be a JSON object.");
  }
  const problems: FieldProblem[] = [];
  const expect = (field: string, expected: string, isValid: (value: unknown) => boolean) => {
    const value = settings[field];
    if (isValid(value)) return;
    const found = value === undefined ? "it is missing" : `found ${JSON.stringify(value)}`;
    problems.push({ field: `tokenizer.${field}`, problem: `must be ${expected}; ${found}` });
  };
  expect("kind", '"hashed-ngrams"', (v) => v === "hashed-ngrams");
  expect("revision", "1, the only one this program knows", (v) => v === 1);
  expect("buckets", "a power of two from 16 to 16777216", isBucketCount);
  expect("lowercase", "true or false", (v) => typeof v === "boolean");
  expect("wordNgrams", "{ min, max } with 1 ≤ min ≤ max ≤ 3", isRange(1, 3));
  expect("wordPrefixes", "{ min, max } with 1 ≤ min ≤ max ≤ 16, or max 0", (v) => {
    return isRange(1, 16)(v) || (isRecord(v) && v["max"] === 0);
  });
  expect("unspacedNgrams", "{ min, max } with 1 ≤ min ≤ max ≤ 4", isRange(1, 4));
  expect("negationWords", "a whole number from 0 to 16", isWhole(0, 16));
  expect("negations", "a list of lower-case words", isWordList);
  expect("maxIds", "a whole number from 16 to 65536", isWhole(16, 65_536));
  if (problems.length > 0) {
    const summary = problems.map((p) => `${p.field} ${p.problem}`).join("; ");
    throw new SluiceError("invalid_argument", `Invalid tokenizer settings: ${summary}.`, {
      details: problems,
    });
  }
  return settings as unknown as HashedNgramsSettings;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isWhole(min: number, max: number): (value: unknown) => boolean {
  return (value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max;
}

function isBucketCount(value: unknown): boolean {
  return isWhole(16, 2 ** 24)(value) && Number.isInteger(Math.log2(Number(value)));
}

function isRange(least: number, most: number): (value: unknown) => boolean {
  return (value) =>
    isRecord(value) &&
    isWhole(least, most)(value["min"]) &&
    isWhole(Number(value["min"]), most)(value["max"]);
}

function isWordList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((word) => typeof word === "string" && /^[\p{L}\p{N}\p{M}]+$/u.test(word))
  );
}
