import { expect, test } from "vitest";
import { roundHalfToEven, roundTrip, toAffineScale } from "./affine-scale.ts";

test("zero is exactly one of the levels", () => {
  for (const range of [
    { low: -0.17, high: 8.3 },
    { low: -3, high: 0 },
    { low: 1, high: 2 },
    { low: -7.77, high: 0.001 },
  ]) {
    expect(roundTrip(0, toAffineScale(range))).toBe(0);
  }
});

test("a number within the range comes back within half a level, and the ends within one", () => {
  const range = { low: -1.3, high: 6.1 };
  const scale = toAffineScale(range);
  for (let x = range.low; x <= range.high; x += 0.0137) {
    const isInside = x > range.low + scale.scale / 2 && x < range.high - scale.scale / 2;
    const bound = (isInside ? 0.5 : 1) * scale.scale * 1.0001;
    expect(Math.abs(roundTrip(x, scale) - x)).toBeLessThanOrEqual(bound);
  }
});

test("a number outside of the range comes back as its nearer end", () => {
  const scale = toAffineScale({ low: -1, high: 1 });
  expect(roundTrip(50, scale)).toBeCloseTo(1, 1);
  expect(roundTrip(-50, scale)).toBeCloseTo(-1, 1);
});

test("a range of positive numbers is widened to zero", () => {
  expect(toAffineScale({ low: 2, high: 5.1 })).toEqual({ scale: Math.fround(0.02), zeroPoint: 0 });
});

test("a range of nothing but zero has a scale that divides", () => {
  expect(toAffineScale({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 });
});

test("halves go to the even neighbour", () => {
  const halves = [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 1.2, -1.7];
  expect(halves.map((half) => roundHalfToEven(half) + 0)).toEqual([-2, -2, 0, 0, 2, 2, 1, -2]);
});
