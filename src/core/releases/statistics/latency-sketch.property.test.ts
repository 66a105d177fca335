import fc from "fast-check";
import { expect, test } from "vitest";
import {
  countLatencies,
  createLatencySketch,
  EMPTY_SKETCH,
  latencyBoundsOf,
  latencyBucketOf,
  latencyOfBucket,
  mergeLatencySketches,
  RELATIVE_ERROR,
  readLatencyQuantile,
} from "./latency-sketch.ts";

const latencies = fc.array(fc.double({ min: 0.01, max: 1e7, noNaN: true }), { maxLength: 200 });

function sketchOf(values: readonly number[]) {
  const counts = new Map<number, number>();
  for (const value of values) {
    const bucket = latencyBucketOf(value);
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  return createLatencySketch(counts);
}

test("every quantile is within 2 % of the exact one", () => {
  fc.assert(
    fc.property(latencies, fc.double({ min: 0, max: 1, noNaN: true }), (values, quantile) => {
      fc.pre(values.length > 0);
      const sorted = values.toSorted((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(quantile * values.length) - 1)] ?? Number.NaN;
      const read = readLatencyQuantile(sketchOf(values), quantile) ?? Number.NaN;
      expect(Math.abs(read - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR * 1.000001);
    }),
  );
});

test("a sketch of parts that are merged, in any order, is the sketch of everything", () => {
  fc.assert(
    fc.property(latencies, latencies, latencies, (a, b, c) => {
      const [one, two, three] = [sketchOf(a), sketchOf(b), sketchOf(c)];
      const all = sketchOf([...a, ...b, ...c]);
      expect(mergeLatencySketches(mergeLatencySketches(one, two), three)).toEqual(all);
      expect(mergeLatencySketches(three, mergeLatencySketches(two, one))).toEqual(all);
      expect(mergeLatencySketches(EMPTY_SKETCH, one)).toEqual(one);
      expect(countLatencies(all)).toBe(a.length + b.length + c.length);
    }),
  );
});

test("whatever is observed, there are at most 519 buckets, and a sketch survives JSON", () => {
  fc.assert(
    fc.property(fc.array(fc.double()), (values) => {
      const sketch = sketchOf(values);
      for (const [bucket] of sketch.buckets) {
        expect(bucket).toBeGreaterThanOrEqual(latencyBucketOf(0));
        expect(bucket).toBeLessThanOrEqual(latencyBucketOf(Number.POSITIVE_INFINITY));
      }
      expect(JSON.parse(JSON.stringify(sketch))).toEqual(sketch);
    }),
  );
  const buckets = latencyBucketOf(Number.POSITIVE_INFINITY) - latencyBucketOf(0) + 1;
  expect(buckets).toBe(519);
});

test("what is no number counts as the longest latency", () => {
  expect(latencyBucketOf(Number.NaN)).toBe(latencyBucketOf(Number.POSITIVE_INFINITY));
});

test("a bucket's value lies between its bounds, and an empty sketch has no quantile", () => {
  const { above, upTo } = latencyBoundsOf(100);
  expect(latencyOfBucket(100)).toBeGreaterThan(above);
  expect(latencyOfBucket(100)).toBeLessThan(upTo);
  expect(readLatencyQuantile(EMPTY_SKETCH, 0.5)).toBeNull();
});
