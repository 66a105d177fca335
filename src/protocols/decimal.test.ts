import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMs, formatScore } from "./decimal.ts";

test("scores are JSON numbers within half a millionth of the truth", () => {
  fc.assert(
    fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (score) => {
      expect(Math.abs((JSON.parse(formatScore(score)) as number) - score)).toBeLessThanOrEqual(
        5.01e-7,
      );
    }),
  );
});

test.each([
  [0, "0.000000"],
  [1, "1"],
  [0.5, "0.500000"],
  [0.9999999, "1"],
  [0.0000001, "0.000000"],
  [-2.25, "-2.25"],
  [Number.POSITIVE_INFINITY, "null"],
  [Number.NaN, "null"],
])("the score %d is written %s", (score, text) => {
  expect(formatScore(score)).toBe(text);
});

test("milliseconds are JSON numbers within half a microsecond of the truth", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      const text = formatMs(ms);
      expect(text).toMatch(/^\d+\.\d{3}$/);
      expect(Math.abs(Number(text) - ms)).toBeLessThanOrEqual(5.01e-4);
    }),
  );
  expect(formatMs(0)).toBe("0.000");
  expect(formatMs(0.9996)).toBe("1.000");
});
