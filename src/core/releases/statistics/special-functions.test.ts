import { describe, expect, test } from "vitest";
import {
  binomialCumulative,
  chiSquareTail,
  logGamma,
  normalUpperQuantile,
  regularizedBeta,
  regularizedUpperGamma,
} from "./special-functions.ts";

// Expected values: SciPy 1.17.1 (scipy.special.gammaln, betainc, gammaincc; scipy.stats.chi2.sf, binom.cdf, norm.isf).

describe("special functions agree with SciPy", () => {
  test.each([
    [0.1, 2.252712651734206],
    [1.5, -0.12078223763524526],
    [10, 12.801827480081469],
    [1234.5, 7550.550901077894],
  ])("logGamma(%f)", (x, expected) => {
    expect(logGamma(x)).toBeCloseTo(expected, 9);
  });

  test.each([
    [0.4, 2, 3, 0.5247999999999999],
    [0.9, 50, 10, 0.9334105544171287],
    [0.1, 0.5, 0.5, 0.20483276469913345],
    [0.97, 400, 8, 0.07758677797903232],
    [0, 2, 3, 0],
    [1, 2, 3, 1],
  ])("regularizedBeta(%f, %f, %f)", (x, a, b, expected) => {
    expect(regularizedBeta(x, a, b)).toBeCloseTo(expected, 10);
  });

  test.each([
    [0.5, 1, 0.15729920705028105],
    [4.5, 2, 0.9114125268316792],
    [9.5, 30, 3.869826300664181e-6],
    [3, 0, 1],
  ])("regularizedUpperGamma(%f, %f)", (a, x, expected) => {
    expect(regularizedUpperGamma(a, x)).toBeCloseTo(expected, 12);
  });

  test.each([
    [3.84, 1, 0.05004352124870519],
    [16.9, 9, 0.0503051901243108],
    [40, 19, 0.003272317118779744],
  ])("chiSquareTail(%f, %i)", (value, degrees, expected) => {
    expect(chiSquareTail(value, degrees)).toBeCloseTo(expected, 12);
  });

  test.each([
    [3, 10, 0.5, 0.171875],
    [95, 100, 0.99, 0.0034323215877545333],
    [989, 1000, 0.99, 0.4169591966989028],
    [-1, 10, 0.5, 0],
    [10, 10, 0.5, 1],
  ])("binomialCumulative(%i, %i, %f)", (successes, trials, rate, expected) => {
    expect(binomialCumulative(successes, trials, rate)).toBeCloseTo(expected, 10);
  });

  test.each([
    [0.025, 1.9599639845400545],
    [0.005, 2.575829303548901],
    [0.0001, 3.7190164854556804],
  ])("normalUpperQuantile(%f)", (tail, expected) => {
    expect(normalUpperQuantile(tail)).toBeCloseTo(expected, 9);
  });
});
