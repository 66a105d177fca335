import { expect, test } from "vitest";
import { createRandom } from "../train/random.ts";
import type { ActivationHistogram } from "./activation-histogram.ts";
import { createHistogramCollector } from "./activation-histogram.ts";
import { CALIBRATION_METHODS, decideActivationRange } from "./activation-range.ts";
import type { ValueRange } from "./affine-scale.ts";
import { computeDivergence } from "./entropy-range.ts";
import { computeSquaredError } from "./squared-error-range.ts";

function toHistogram(values: Float32Array): ActivationHistogram {
  const collector = createHistogramCollector();
  collector.add(values);
  return collector.read();
}

/** Roughly normal with standard deviation 1: twelve uniform numbers, less their mean. */
function createNormal(count: number, seed: number): Float32Array {
  const random = createRandom(seed);
  return Float32Array.from({ length: count }, () => {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += random();
    return sum;
  });
}

const normal = createNormal(200_000, 1);
const withOutliers = Float32Array.of(...normal.subarray(0, 100_000), 9, 9.5, -9);

test("min-max takes in everything that was seen", () => {
  expect(decideActivationRange(toHistogram(withOutliers), "min-max")).toEqual({
    low: -9,
    high: 9.5,
  });
});

test("a percentile cuts the same share off both ends", () => {
  const range = decideActivationRange(toHistogram(normal), "percentile", 95);
  const below = normal.filter((value) => value < range.low).length / normal.length;
  const above = normal.filter((value) => value > range.high).length / normal.length;
  expect(below).toBeCloseTo(0.025, 3);
  expect(above).toBeCloseTo(0.025, 3);
});

test("percentile 100 is min-max", () => {
  const histogram = toHistogram(normal);
  const all = decideActivationRange(histogram, "percentile", 100);
  const full = decideActivationRange(histogram, "min-max");
  expect(all.low).toBeCloseTo(full.low, 2);
  expect(all.high).toBeCloseTo(full.high, 2);
});

for (const method of CALIBRATION_METHODS) {
  test(`${method} gives a range that holds zero and nothing that was not seen`, () => {
    const samples = [
      normal,
      withOutliers,
      normal.map(Math.abs),
      Float32Array.of(0),
      normal.map((x) => x - 9),
    ];
    for (const values of samples) {
      const { low, high } = decideActivationRange(toHistogram(values), method);
      expect(low).toBeLessThanOrEqual(0);
      expect(high).toBeGreaterThanOrEqual(0);
      expect(low).toBeGreaterThanOrEqual(Math.min(0, ...values.subarray(-60_000)) - 6);
      expect(high - low).toBeLessThanOrEqual(100);
    }
  });
}

test("entropy clips far outliers that min-max keeps", () => {
  const { low, high } = decideActivationRange(toHistogram(withOutliers), "entropy");
  expect(high).toBeGreaterThan(2);
  expect(high).toBeLessThan(7);
  expect(low).toBeLessThan(-2);
});

test("no even shrinking of the full range has a smaller squared error than the chosen one", () => {
  // Products of normal values have long tails, so that clipping pays.
  const tailed = normal.map((x, i) => x * (normal[normal.length - 1 - i] ?? 0));
  const histogram = toHistogram(tailed);
  const toCost = ({ low, high }: ValueRange) =>
    computeSquaredError(histogram, {
      low: Math.round(low / histogram.binWidth),
      high: Math.round(high / histogram.binWidth),
    });
  const full = decideActivationRange(histogram, "min-max");
  const chosen = toCost(decideActivationRange(histogram, "squared-error"));
  expect(chosen).toBeLessThan(0.9 * toCost(full));
  for (let share = 0.1; share <= 1; share += 0.1) {
    const shrunk = { low: full.low * share, high: full.high * share };
    expect(chosen).toBeLessThanOrEqual(toCost(shrunk) * 1.0001);
  }
});

test("the ends are chosen one by one: a one-sided outlier does not widen the other side", () => {
  // As after a GELU: a short negative side, a long positive one.
  const values = normal.map((x) => (x > 0 ? x * 3 : x * 0.05));
  const { low, high } = decideActivationRange(toHistogram(values), "squared-error");
  expect(low).toBeGreaterThan(-0.4);
  expect(high).toBeGreaterThan(8);
});

test("divergence is nothing where levels tell everything, and grows with what is clipped", () => {
  const binWidth = toHistogram(Float32Array.of(100)).binWidth;
  // One value in the middle of each of 256 neighbouring bins: every level is one bin.
  const even = Float32Array.from({ length: 256 }, (_, i) => (i + 0.5) * binWidth);
  const histogram = { ...toHistogram(Float32Array.of(...even, 100)), total: 257 };
  const whole = { low: 0, high: Math.floor(100 / binWidth) + 1 };
  const clipped = computeDivergence(histogram, { low: 0, high: 256 });
  expect(clipped).toBeGreaterThan(0);
  expect(clipped).toBeLessThan(computeDivergence(histogram, { low: 0, high: 128 }) + 1);
  expect(computeDivergence(histogram, whole)).toBeGreaterThanOrEqual(0);
});

test("divergence of a distribution by hand", () => {
  const { binWidth } = toHistogram(Float32Array.of(1));
  // 512 bins, so a level is two bins; the first holds 3 and 1, the last 2 and 2.
  const at = (bin: number, count: number) => new Array<number>(count).fill((bin + 0.5) * binWidth);
  const histogram = toHistogram(
    Float32Array.of(...at(0, 3), ...at(1, 1), ...at(510, 2), ...at(511, 2), 1),
  );
  const divergence = computeDivergence(histogram, { low: 0, high: 512 });
  // P: 3, 1, 2 and 2 + the clipped one, of 9. Q: 2, 2, 2, 2, of 8.
  const expected =
    (3 / 9) * Math.log(3 / 9 / (2 / 8)) +
    (1 / 9) * Math.log(1 / 9 / (2 / 8)) +
    (2 / 9) * Math.log(2 / 9 / (2 / 8)) +
    (3 / 9) * Math.log(3 / 9 / (2 / 8));
  expect(divergence).toBeCloseTo(expected, 12);
});

test("without values no range is chosen", () => {
  const nothing = createHistogramCollector().read();
  expect(() => decideActivationRange(nothing, "min-max")).toThrow("No values were seen");
});
