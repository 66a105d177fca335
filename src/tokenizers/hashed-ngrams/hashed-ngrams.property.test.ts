import fc from "fast-check";
import { expect, test } from "vitest";
import { createHashedNgramsTokenizer } from "./hashed-ngrams.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "./settings.ts";

const BUCKETS = 2 ** 12;
const settings = { ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets: BUCKETS };
const tokenizer = createHashedNgramsTokenizer(settings);
const idsOf = (text: string, by = tokenizer) => by.encode(text).windows[0]?.ids ?? new Int32Array();
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("a", "n", "'", "t", " ", "好", "!", ".", "\ud83d", "\ude02") }),
);

test("every string has at least one id, and every id is a bucket other than padding", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { windows, truncated } = tokenizer.encode(text);
      const ids = idsOf(text);
      expect(windows).toHaveLength(1);
      expect(truncated).toBe(false);
      expect(ids.length).toBeGreaterThan(0);
      expect(ids.every((id) => id > 0 && id < BUCKETS)).toBe(true);
    }),
  );
});

test("the ids depend on the text alone, not on what was read before or by whom", () => {
  fc.assert(
    fc.property(anyText, anyText, (before, text) => {
      const fresh = createFreshIds(text);
      tokenizer.encode(before);
      expect(idsOf(text)).toEqual(fresh);
    }),
    { numRuns: 25 },
  );
});

test("a text's ids stay as they are when the next text is read", () => {
  fc.assert(
    fc.property(anyText, anyText, (text, next) => {
      const ids = idsOf(text);
      const copy = ids.slice();
      tokenizer.encode(next);
      expect(ids).toEqual(copy);
    }),
  );
});

test("phrases with a full stop between them give the ids of each", () => {
  const phrase = fc
    .string({ unit: fc.constantFrom("a", "b", "c", " ") })
    .filter((p) => /\w/.test(p));
  fc.assert(
    fc.property(phrase, phrase, (left, right) => {
      const both = idsOf(`${left} . ${right}`);
      expect([...both]).toEqual([...idsOf(left), ...idsOf(right)]);
    }),
  );
});

function createFreshIds(text: string): Int32Array {
  return idsOf(text, createHashedNgramsTokenizer(settings));
}
