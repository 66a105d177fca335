import { expect, test } from "vitest";
import { createRandom } from "../train/random.ts";
import { BINS_PER_SIDE, createHistogramCollector } from "./activation-histogram.ts";

function collect(...calls: Float32Array[]) {
  const collector = createHistogramCollector();
  for (const values of calls) collector.add(values);
  return collector.read();
}

function createValues(count: number, size: number): Float32Array {
  const random = createRandom(count);
  return Float32Array.from({ length: count }, () => (random() - 0.3) * size);
}

test("every value is counted in the bin that it belongs to", () => {
  const values = createValues(5_000, 20);
  const { counts, binWidth, min, max, total } = collect(values);
  const expected = new Float64Array(counts.length);
  for (const value of values) {
    const bin = Math.floor(value / binWidth) + BINS_PER_SIDE;
    expected[bin] = (expected[bin] ?? 0) + 1;
  }
  expect(counts).toEqual(expected);
  expect(total).toBe(5_000);
  expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
});

test("order and cut do not change the result", () => {
  const small = createValues(1_000, 0.01);
  const large = createValues(1_000, 300);
  const inOneGo = Float32Array.of(...large, ...small);
  expect(collect(small, large)).toEqual(collect(inOneGo));
  expect(collect(large, small)).toEqual(collect(inOneGo));
});

test("the longer side uses at least half of its bins", () => {
  for (const size of [1e-6, 0.7, 1, 64, 1e6]) {
    const { binWidth, min, max } = collect(createValues(100, size));
    const reach = Math.max(max, -min) / binWidth;
    expect(reach).toBeGreaterThan(BINS_PER_SIDE / 2 - 1);
    expect(reach).toBeLessThanOrEqual(BINS_PER_SIDE);
  }
});

test("what was read does not change later", () => {
  const collector = createHistogramCollector();
  collector.add(Float32Array.of(1));
  const before = collector.read();
  collector.add(Float32Array.of(1));
  expect(before.counts.reduce((sum, count) => sum + count, 0)).toBe(1);
});

test("a value that is no finite number is refused", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => collect(Float32Array.of(1, value))).toThrow("no finite numbers");
  }
});
