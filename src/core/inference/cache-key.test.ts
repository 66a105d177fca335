import fc from "fast-check";
import { expect, test } from "vitest";
import { createCacheKey, createCacheKeyPrefix } from "./cache-key.ts";

/** Normalized texts hold no line break. */
const text = fc.string({ maxLength: 6 }).filter((one) => !one.includes("\n"));
const question = fc.record({
  model: fc.constantFrom("a", "b", "a-b"),
  version: fc.constantFrom("1.0.0", "1.0.1"),
  digest: fc.constantFrom("0".repeat(64), "1".repeat(64)),
  text,
  pair: fc.option(text, { nil: undefined }),
});

test("two questions share a key exactly when they are the same question", () => {
  const keyOf = (asked: {
    model: string;
    version: string;
    digest: string;
    text: string;
    pair: string | undefined;
  }) => createCacheKey(createCacheKeyPrefix(asked), asked.text, asked.pair);
  fc.assert(
    fc.property(question, question, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
    { numRuns: 2000 },
  );
});

test("a pair is not the text that its halves make together", () => {
  const prefix = createCacheKeyPrefix({ model: "a", version: "1.0.0", digest: "d" });
  expect(createCacheKey(prefix, "a", "b")).not.toBe(createCacheKey(prefix, "ab", undefined));
  expect(createCacheKey(prefix, "a", "")).not.toBe(createCacheKey(prefix, "a", undefined));
});
