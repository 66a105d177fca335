import { describe, expect, test } from "vitest";
import { createLatencySketch, EMPTY_SKETCH, latencyBucketOf } from "./latency-sketch.ts";
import { compareQuantiles, readQuantileInterval, toQuantileRanks } from "./quantile-interval.ts";

function sketchOf(values: readonly number[]) {
  return createLatencySketch(
    values.reduce((counts, value) => {
      const bucket = latencyBucketOf(value);
      return counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
    }, new Map<number, number>()),
  );
}

/** 1, 2 … n milliseconds. */
const rising = (n: number, factor = 1) => Array.from({ length: n }, (_, at) => (at + 1) * factor);

describe("ranks of order statistics", () => {
  // Expected: search over scipy.stats.binom (SciPy 1.17.1); 40 and 61 for the median of 100 are in every textbook.
  test.each([
    [100, 0.5, 0.05, 40, 61],
    [1000, 0.99, 0.05, 983, 997],
    [200, 0.99, 0.05, 195, 201],
    [1000, 0.99, 0.001, 978, 999],
    [0, 0.99, 0.05, 0, 1],
  ])("n = %i, quantile %f, α = %f: ranks %i to %i", (n, quantile, alpha, lower, upper) => {
    expect(toQuantileRanks(n, quantile, alpha)).toEqual({ lower, upper });
  });
});

describe("an interval", () => {
  test("contains the exact order statistics and is at most a bucket wider", () => {
    const { estimateMs, lowerMs, upperMs } = readQuantileInterval(sketchOf(rising(100)), 0.5, 0.05);
    expect(estimateMs).toBeGreaterThan(48);
    expect(estimateMs).toBeLessThan(52);
    expect(lowerMs).toBeLessThanOrEqual(40);
    expect(lowerMs).toBeGreaterThan(40 / 1.041);
    expect(upperMs).toBeGreaterThanOrEqual(61);
    expect(upperMs).toBeLessThan(61 * 1.041);
  });

  test("of few samples has no upper end, of none no end at all", () => {
    const few = readQuantileInterval(sketchOf(rising(50)), 0.99, 0.05);
    expect(few.upperMs).toBe(Number.POSITIVE_INFINITY);
    expect(few.lowerMs).toBeGreaterThan(40);
    const none = readQuantileInterval(EMPTY_SKETCH, 0.99, 0.05);
    expect(none).toEqual({ estimateMs: null, lowerMs: 0, upperMs: Number.POSITIVE_INFINITY });
  });
});

describe("two versions", () => {
  test("of which one takes three times as long are surely apart", () => {
    const ratio = compareQuantiles(sketchOf(rising(2000)), sketchOf(rising(2000, 3)), 0.9, 0.05);
    expect(ratio.estimate).toBeGreaterThan(2.8);
    expect(ratio.estimate).toBeLessThan(3.2);
    expect(ratio.lower).toBeGreaterThan(2.5);
    expect(ratio.upper).toBeLessThan(3.6);
  });

  test("that are equal may be equal", () => {
    const ratio = compareQuantiles(sketchOf(rising(500)), sketchOf(rising(500)), 0.9, 0.05);
    expect(ratio.lower).toBeLessThan(1);
    expect(ratio.upper).toBeGreaterThan(1);
  });

  test("of which one is unknown have no ratio", () => {
    const ratio = compareQuantiles(EMPTY_SKETCH, sketchOf(rising(500)), 0.9, 0.05);
    expect(ratio).toEqual({ estimate: null, lower: 0, upper: Number.POSITIVE_INFINITY });
  });
});
