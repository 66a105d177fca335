import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Tensor, TensorSpec } from "../ports/tensor.ts";
import { toHalfBits } from "../tensors/half-float.ts";
import type { OutputComparison } from "./compare-outputs.ts";
import { compareOutputs, isNear } from "./compare-outputs.ts";

const VALUES: OutputComparison = {
  metric: "outputs",
  output: null,
  compare: "values",
  tolerance: 0.01,
};
const TOP: OutputComparison = { ...VALUES, output: "y", compare: "top" };

const floats = (shape: readonly number[], ...data: number[]): Tensor => ({
  ...{ name: "y", datatype: "FP32", shape, data: Float32Array.from(data) },
});
const texts = (...data: (string | Uint8Array)[]): Tensor => ({
  ...{ name: "t", datatype: "BYTES", shape: [data.length], data },
});
const specOf = ({ name, datatype, shape }: Tensor, hasRows = true): TensorSpec => ({
  ...{ name, datatype, shape: shape.map((size, axis) => (axis === 0 && hasRows ? null : size)) },
});

function compare(
  one: readonly Tensor[],
  other: readonly Tensor[],
  comparison = VALUES,
  hasRows = true,
): readonly [number, number] {
  const specs = one.map((tensor) => specOf(tensor, hasRows));
  const { agreed, disagreed } = compareOutputs(one, other, specs, comparison);
  return [agreed, disagreed];
}

describe("values", () => {
  test("each row is an answer, and near is near by the size of the row", () => {
    const one = floats([3, 2], 1, 1, 1000, 1000, 0, 0);
    const other = floats([3, 2], 1, 1.1, 1000, 1001, 0, 0);
    expect(compare([one], [other])).toEqual([2, 1]);
    expect(compare([one], [other], { ...VALUES, tolerance: 0.1 })).toEqual([3, 0]);
    expect(compare([one], [other], { ...VALUES, tolerance: 0 })).toEqual([1, 2]);
  });

  test("without open rows all of an output is one answer", () => {
    expect(compare([floats([2], 1, 2)], [floats([2], 1, 3)], VALUES, false)).toEqual([0, 1]);
    expect(compare([floats([], 1)], [floats([], 1)], VALUES, false)).toEqual([1, 0]);
  });

  test("a row differs if it does in any output, and in one alone if only that counts", () => {
    const one = [floats([2, 1], 1, 2), texts("a", "b")];
    const other = [texts("a", "c"), floats([2, 1], 1, 2)];
    expect(compare(one, other)).toEqual([1, 1]);
    expect(compare(one, other, { ...VALUES, output: "y" })).toEqual([2, 0]);
    expect(compare(one, other, { ...VALUES, output: "elsewhere" })).toEqual([0, 0]);
  });

  test("what is no float is the same or not", () => {
    const numbers = (...data: bigint[]): Tensor => ({
      ...{ name: "y", datatype: "INT64", shape: [data.length], data: BigInt64Array.from(data) },
    });
    expect(compare([numbers(1000n, 7n)], [numbers(1001n, 7n)])).toEqual([1, 1]);
    const bytes = (...values: number[]) => Uint8Array.from(values);
    expect(compare([texts(bytes(255), "a")], [texts(bytes(255), "a")])).toEqual([2, 0]);
    expect(compare([texts(bytes(255), "a")], [texts(bytes(254), bytes(97))])).toEqual([0, 2]);
  });

  test("half floats are read as numbers, not as their bits", () => {
    const halves = (...data: number[]): Tensor => ({
      ...{ name: "y", datatype: "FP16", shape: [data.length] },
      data: Uint16Array.from(data, toHalfBits),
    });
    expect(compare([halves(1, 2)], [halves(1.001, 3)])).toEqual([1, 1]);
  });

  test("of another form every row differs", () => {
    const one = floats([2, 2], 1, 2, 3, 4);
    expect(compare([one], [floats([2, 1], 1, 3)])).toEqual([0, 2]);
    expect(compare([one], [floats([4], 1, 2, 3, 4)])).toEqual([0, 2]);
    const doubles: Tensor = { ...one, datatype: "FP64", data: Float64Array.of(1, 2, 3, 4) };
    expect(compare([one], [doubles])).toEqual([0, 2]);
  });

  test("of very long answers the first rows count", () => {
    const data = new Float32Array(1_000_000).fill(1);
    const long: Tensor = { name: "y", datatype: "FP32", shape: [1000, 1000], data };
    const [agreed, disagreed] = compare([long], [long]);
    expect(agreed).toBeGreaterThan(50);
    expect(agreed).toBeLessThan(100);
    expect(disagreed).toBe(0);
  });

  test("no rows are no answers", () => {
    expect(compare([floats([0, 2])], [floats([0, 2])])).toEqual([0, 0]);
  });
});

describe("near", () => {
  test.each([
    ["what is no number, to the same", [Number.NaN, 1], [Number.NaN, 1], true],
    ["and to nothing else", [Number.NaN, 1], [0, 1], false],
    ["infinity to itself", [Number.POSITIVE_INFINITY, 2], [Number.POSITIVE_INFINITY, 2], true],
    ["infinity to its opposite", [Number.POSITIVE_INFINITY], [Number.NEGATIVE_INFINITY], false],
    ["infinity to a number", [Number.POSITIVE_INFINITY], [1e308], false],
    ["zero to minus zero", [0], [-0], true],
    ["zero to the smallest number", [0], [Number.MIN_VALUE], false],
    ["large numbers, whose squares are none", [1e308, 1e308], [1.001e308, 1e308], true],
    ["small numbers, whose squares are none", [1e-300, 0], [1.2e-300, 0], false],
    ["vectors of another length", [1, 0], [1], false],
  ] as const)("%s", (_, one, other, expected) => {
    expect(isNear(one, other, 0.01)).toBe(expected);
    expect(isNear(other, one, 0.01)).toBe(expected);
  });

  const vectors = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { maxLength: 20 });

  test("each to itself, whatever it holds", () => {
    fc.assert(fc.property(fc.array(fc.double()), (one) => isNear(one, [...one], 0)));
  });

  test("does not depend on the order, nor on the scale", () => {
    fc.assert(
      fc.property(vectors, fc.double({ min: 0, max: 0.9 }), (one, tolerance) => {
        const other = one.map((value, at) => value + (at % 3));
        const isClose = isNear(one, other, tolerance);
        expect(isNear(other, one, tolerance)).toBe(isClose);
        // By powers of two, which lose no digits.
        const grow = (values: readonly number[]) => values.map((value) => value * 1024);
        expect(isNear(grow(one), grow(other), tolerance)).toBe(isClose);
      }),
    );
  });
});

describe("the top", () => {
  test("is the place of the largest value in each row", () => {
    const one = floats([3, 3], 0.1, 0.7, 0.2, 5, 1, 1, -3, -2, -1);
    const other = floats([3, 3], 0.3, 0.4, 0.3, 1, 5, 1, -3, -2, 0);
    expect(compare([one], [other], TOP)).toEqual([2, 1]);
  });

  test("counts at every position of a row", () => {
    const one = floats([1, 2, 2], 0, 1, 1, 0);
    expect(compare([one], [floats([1, 2, 2], 0, 9, 9, 0)], TOP)).toEqual([1, 0]);
    expect(compare([one], [floats([1, 2, 2], 0, 9, 0, 9)], TOP)).toEqual([0, 1]);
  });

  test("of several that are largest is the first, and passes over what is no number", () => {
    const one = floats([1, 3], Number.NaN, 2, 2);
    expect(compare([one], [floats([1, 3], 0, 3, 1)], TOP)).toEqual([1, 0]);
    expect(compare([one], [floats([1, 3], 4, 3, 1)], TOP)).toEqual([0, 1]);
  });

  test("does not look beyond its row", () => {
    expect(compare([floats([3], 1, 2, 3)], [floats([3], 3, 2, 1)], TOP)).toEqual([3, 0]);
  });
});
