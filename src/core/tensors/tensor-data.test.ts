import { describe, expect, test } from "vitest";
import type { Tensor } from "../ports/tensor.ts";
import { TENSOR_DATATYPES } from "../ports/tensor.ts";
import {
  concatenateData,
  countElements,
  createTensorData,
  findTensorProblem,
} from "./tensor-data.ts";

describe("the number of elements", () => {
  test.each<[readonly number[], number | undefined]>([
    [[], 1],
    [[2, 3], 6],
    [[0, 2 ** 31 - 1], 0],
    [[2 ** 16, 2 ** 16], undefined],
    [[-1], undefined],
    [[1.5], undefined],
    [[2 ** 60], undefined],
    [new Array(33).fill(1), undefined],
  ])("of %j is %j", (shape, elements) => {
    expect(countElements(shape)).toBe(elements);
  });
});

test("fresh data of every datatype makes a tensor with which nothing is wrong", () => {
  for (const datatype of TENSOR_DATATYPES) {
    const tensor = { name: "t", datatype, shape: [2, 3], data: createTensorData(datatype, 6) };
    expect(findTensorProblem(tensor as Tensor)).toBeUndefined();
  }
});

test.each<[string, unknown, RegExp]>([
  ["fewer elements", { data: new Float32Array(5) }, /has 5 elements, but its shape \[2, 3\] has 6/],
  ["another array", { data: new Float64Array(6) }, /does not hold FP32/],
  ["no shape", { shape: [2, -3] }, /\[2, -3\], which is none/],
])("a tensor with %s is told apart", (_name, changes, problem) => {
  const tensor = { name: "t", datatype: "FP32", shape: [2, 3], data: new Float32Array(6) };
  expect(findTensorProblem({ ...tensor, ...(changes as object) } as Tensor)).toMatch(problem);
});

test("data of several tensors follows one another, in memory of its own", () => {
  const first: Tensor = { name: "t", datatype: "INT64", shape: [1], data: BigInt64Array.of(1n) };
  const joined = concatenateData([first, { ...first, data: BigInt64Array.of(2n) }]);
  expect(joined).toEqual(BigInt64Array.of(1n, 2n));
  const text: Tensor = { name: "t", datatype: "BYTES", shape: [1], data: ["a"] };
  expect(concatenateData([text, text])).toEqual(["a", "a"]);
});
