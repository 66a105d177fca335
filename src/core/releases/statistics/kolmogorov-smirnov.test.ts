import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBinnedSamples, compareSamples, kolmogorovTail } from "./kolmogorov-smirnov.ts";

// Two made-up samples. Expected: scipy.stats.ks_2samp (SciPy 1.17.1) gives the distance 0.47, exact p-value 0.009913;
// scipy.special.kolmogorov at Stephens's λ gives 0.009309499901748765.
const FIRST = [
  0.61, 0.29, 0.06, 0.59, -1.73, -0.74, 0.51, -0.56, 0.39, 1.64, 0.05, -0.06, 0.64, -0.82, 0.37,
  1.77, 1.09, -1.28, 2.36, 1.31, 1.05, -0.32, -0.4, 1.06, -2.47,
];
const SECOND = [
  1.2, 0.8, 1.9, 0.33, 2.4, 0.12, 1.1, 0.74, 1.55, 2.02, -0.3, 0.95, 1.61, 0.41, 2.2, 0.05, 1.33,
  0.68, 1.77, 0.9,
];

test("distance and p-value are SciPy's", () => {
  const { distance, pValue } = compareSamples(FIRST, SECOND);
  expect(distance).toBeCloseTo(0.47, 12);
  expect(pValue).toBeCloseTo(0.009309499901748765, 10);
  expect(Math.abs(pValue - 0.009913060147864434)).toBeLessThan(0.001);
});

test.each([
  [0.1, 1],
  [0.3, 0.9999906941986655],
  [0.8, 0.5441424115741981],
  [1.36, 0.049485876755377876],
  [2, 0.0006709252557796953],
])(
  "the tail of the Kolmogorov distribution at %f is scipy.special.kolmogorov's",
  (lambda, tail) => {
    expect(kolmogorovTail(lambda)).toBeCloseTo(tail, 12);
  },
);

test("the same sample twice has distance 0; samples apart have distance 1", () => {
  expect(compareSamples(FIRST, FIRST)).toEqual({ distance: 0, pValue: 1 });
  expect(compareSamples([1, 2, 3], [4, 5]).distance).toBe(1);
});

test("an empty sample, and what is no number, tell nothing", () => {
  expect(compareSamples([], [1])).toEqual({ distance: 0, pValue: 1 });
  expect(compareSamples([Number.NaN], [1])).toEqual({ distance: 0, pValue: 1 });
  expect(compareBinnedSamples([0, 0], [1, 2])).toEqual({ distance: 0, pValue: 1 });
});

test("bins never make the distance larger, and with a bin per value it is the same", () => {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(digits, digits, (first, second) => {
      const exact = compareSamples(first, second);
      const fine = compareBinnedSamples(countBins(first, 1), countBins(second, 1));
      const coarse = compareBinnedSamples(countBins(first, 3), countBins(second, 3));
      expect(fine.distance).toBeCloseTo(exact.distance, 12);
      expect(coarse.distance).toBeLessThanOrEqual(exact.distance + 1e-12);
      expect(coarse.pValue).toBeGreaterThanOrEqual(exact.pValue - 1e-12);
    }),
  );
});

function countBins(values: readonly number[], width: number): number[] {
  const counts = new Array<number>(Math.ceil(10 / width)).fill(0);
  for (const value of values) {
    const bin = Math.floor(value / width);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}
