import { describe, expect, test } from "vitest";
import { createSeededRandom } from "../corpus/seeded-random.ts";
import { LatencyHistogram } from "./latency-histogram.ts";

const LARGEST_ERROR = 0.004;
const RESOLUTION_MS = 0.00005;

describe("LatencyHistogram", () => {
  test("answers zero for everything while it is empty", () => {
    const empty = new LatencyHistogram().summarize();
    expect(new Set(Object.values(empty))).toEqual(new Set([0]));
  });

  test("gives a single value back within its precision, over nine orders of magnitude", () => {
    for (let valueMs = 0.0003; valueMs < 200_000; valueMs *= 1.37) {
      const histogram = new LatencyHistogram();
      histogram.record(valueMs);
      const error = Math.abs(histogram.percentileMs(0.5) - valueMs);
      expect(error).toBeLessThanOrEqual(valueMs * LARGEST_ERROR + RESOLUTION_MS);
    }
  });

  test("has the percentiles of the sorted values", () => {
    const random = createSeededRandom(7);
    const histogram = new LatencyHistogram();
    const values = Array.from({ length: 20_000 }, () => Math.exp(random() * 12 - 4));
    for (const value of values) histogram.record(value);
    values.sort((a, b) => a - b);
    for (const share of [0.001, 0.5, 0.9, 0.99, 0.999, 1]) {
      const exact = values[Math.ceil(share * values.length) - 1] ?? 0;
      expect(histogram.percentileMs(share) / exact).toBeCloseTo(1, 2);
    }
  });

  test("counts, averages and remembers the largest value exactly", () => {
    const histogram = new LatencyHistogram();
    for (const value of [1, 2, 6.1234]) histogram.record(value);
    expect(histogram.summarize()).toMatchObject({ count: 3, meanMs: 3.0411, maxMs: 6.1234 });
  });

  test("counts what is longer than it can hold as the longest, and never says more than the maximum", () => {
    const histogram = new LatencyHistogram();
    histogram.record(1e9);
    expect(histogram.count).toBe(1);
    expect(histogram.percentileMs(1)).toBeCloseTo(214_748, -3);
    const small = new LatencyHistogram();
    small.record(100);
    expect(small.percentileMs(0.99)).toBeLessThanOrEqual(100);
  });
});
