import { expect, test } from "vitest";
import { compareHistograms } from "./population-stability.ts";

// Expected values: the two formulas of the doc comment in NumPy 2.4.6, the tail by scipy.stats.chi2.sf (SciPy 1.17.1).

test("the index of two histograms is that of the formula", () => {
  const { index, pValue } = compareHistograms([120, 340, 80, 0, 460], [100, 300, 150, 10, 440]);
  expect(index).toBeCloseTo(0.08355234009010419, 12);
  expect(pValue).toBeCloseTo(1.8562125481685066e-8, 14);
});

test("the same shares of a tenth of the samples give a similar index, which then means nothing", () => {
  const { index, pValue } = compareHistograms([12, 34, 8, 0, 46], [10, 30, 15, 1, 44]);
  expect(index).toBeCloseTo(0.06081554043412878, 12);
  expect(pValue).toBeCloseTo(0.5510248063523129, 10);
});

test("equal histograms have index 0, whichever bins are empty", () => {
  expect(compareHistograms([5, 0, 7, 0], [5, 0, 7, 0])).toEqual({ index: 0, pValue: 1 });
});

test("opposite histograms have a finite index that is beyond doubt", () => {
  const { index, pValue } = compareHistograms([1000, 0], [0, 1000]);
  expect(index).toBeGreaterThan(10);
  expect(index).toBeLessThan(100);
  expect(pValue).toBeLessThan(1e-12);
});

test("an empty side, or one bin only, tells nothing", () => {
  expect(compareHistograms([], [])).toEqual({ index: 0, pValue: 1 });
  expect(compareHistograms([3, 4], [0, 0])).toEqual({ index: 0, pValue: 1 });
  expect(compareHistograms([9, 0], [4, 0])).toEqual({ index: 0, pValue: 1 });
});
