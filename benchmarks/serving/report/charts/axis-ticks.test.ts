import { describe, expect, test } from "vitest";
import { toLinearTicks, toLogarithmicTicks } from "./axis-ticks.ts";

describe("toLinearTicks", () => {
  test("begins at 0 and ends at or beyond the largest value", () => {
    expect(toLinearTicks(1834, 5)).toEqual([0, 500, 1000, 1500, 2000]);
    expect(toLinearTicks(0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
  });

  test("has an axis even when everything is 0", () => {
    expect(toLinearTicks(0, 5)).toEqual([0, 1]);
  });
});

describe("toLogarithmicTicks", () => {
  test("encloses the values", () => {
    expect(toLogarithmicTicks(3, 420)).toEqual([2, 5, 10, 20, 50, 100, 200, 500]);
    expect(toLogarithmicTicks(10, 10)).toEqual([10]);
  });
});
