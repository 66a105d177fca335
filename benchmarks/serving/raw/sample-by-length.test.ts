import { expect, test } from "vitest";
import { sampleByLength } from "./sample-by-length.ts";

const texts = Array.from({ length: 1000 }, (_, i) => {
  const length = i % 10 === 0 ? 200 : 10 + (i % 7);
  return { ids: new Int32Array(length), secondStart: length };
});

function meanLength(some: readonly { readonly ids: Int32Array }[]): number {
  return some.reduce((sum, { ids }) => sum + ids.length, 0) / some.length;
}

test("a sample has as many texts as asked for, and their mean length", () => {
  const sample = sampleByLength(texts, 100);
  expect(sample).toHaveLength(100);
  expect(Math.abs(meanLength(sample) / meanLength(texts) - 1)).toBeLessThan(0.01);
});

test("a sample is in no order of length, and always the same", () => {
  const lengths = sampleByLength(texts, 100).map(({ ids }) => ids.length);
  expect(lengths).not.toEqual(lengths.toSorted((a, b) => a - b));
  expect(sampleByLength(texts, 100).map(({ ids }) => ids.length)).toEqual(lengths);
});

test("of few texts all are taken", () => {
  expect(sampleByLength(texts.slice(0, 5), 100)).toHaveLength(5);
});
