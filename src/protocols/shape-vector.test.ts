import fc from "fast-check";
import { expect, test } from "vitest";
import { cosineOf, shapeVector } from "./shape-vector.ts";

const vector = fc
  .array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1, maxLength: 40 })
  .map((values) => Float32Array.from(values));

test("a normalized vector has length 1 and the same direction, unless it is nothing but zeros", () => {
  fc.assert(
    fc.property(vector, (values) => {
      const shaped = shapeVector(values, { normalize: true, dimensions: undefined });
      const squares = shaped.reduce((sum, value) => sum + value * value, 0);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(squares).toBeCloseTo(largest === 0 ? 0 : 1, 4);
      if (largest > 0) expect(cosineOf(values, shaped)).toBeCloseTo(1, 4);
    }),
  );
});

test("fewer dimensions are the first ones, at length 1 only when that is wanted", () => {
  const values = Float32Array.of(3, 4, 12);
  expect(shapeVector(values, { normalize: false, dimensions: 2 })).toEqual(Float32Array.of(3, 4));
  expect(shapeVector(values, { normalize: true, dimensions: 2 })).toEqual(
    Float32Array.of(0.6, 0.8),
  );
  expect(values).toEqual(Float32Array.of(3, 4, 12));
});

test("more dimensions than there are are refused with the number that there are", () => {
  expect(() => shapeVector(Float32Array.of(1, 2), { normalize: true, dimensions: 3 })).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      message: expect.stringContaining("at most 2"),
    }),
  );
});

test("the cosine is symmetric and never outside -1 to 1", () => {
  fc.assert(
    fc.property(vector, fc.integer(), (a, seed) => {
      const b = a.map((value, i) => Math.sin(value + seed + i));
      expect(Math.abs(cosineOf(a, b))).toBeLessThanOrEqual(1);
      expect(cosineOf(a, b)).toBe(cosineOf(b, a));
    }),
  );
});
