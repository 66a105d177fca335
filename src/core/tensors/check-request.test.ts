import { expect, test } from "vitest";
import { SluiceError } from "../errors.ts";
import type { Tensor, TensorSignature } from "../ports/tensor.ts";
import { assertInputNames, assertRequestFits } from "./check-request.ts";

const SIGNATURE: TensorSignature = {
  inputs: [
    { name: "x", datatype: "FP32", shape: [null, 4] },
    { name: "free", datatype: "BYTES", shape: undefined },
  ],
  outputs: [
    { name: "y", datatype: "FP32", shape: [null] },
    { name: "z", datatype: "INT64", shape: undefined },
  ],
};
const X: Tensor = { name: "x", datatype: "FP32", shape: [2, 4], data: new Float32Array(8) };
const FREE: Tensor = { name: "free", datatype: "BYTES", shape: [1, 1, 1], data: ["a"] };

function listProblems(run: () => void): readonly string[] {
  try {
    run();
    return [];
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    expect(error.code).toBe("invalid_argument");
    return error.details.map(({ field, problem }) => `${field} ${problem}`);
  }
}

const check = (inputs: readonly Tensor[], outputs?: readonly string[]) =>
  listProblems(() => assertRequestFits(inputs, outputs, SIGNATURE));

test("what fits passes, in any order, with some outputs, all, or none stated", () => {
  expect(check([FREE, X])).toEqual([]);
  expect(check([X, FREE], ["z", "y"])).toEqual([]);
  expect(check([X, FREE], [])).toEqual([]);
  expect(check([{ ...X, shape: [0, 4], data: new Float32Array(0) }, FREE])).toEqual([]);
});

test.each<[string, readonly Tensor[], readonly string[]]>([
  ["a missing input", [FREE], ["inputs.x is missing: FP32 [?, 4]"]],
  [
    "an unknown input",
    [X, FREE, { ...X, name: "w" }],
    ["inputs.w is no input of this model; it has x, free"],
  ],
  ["an input twice", [X, X, FREE], ["inputs.x is given twice"]],
  [
    "another datatype",
    [{ ...X, datatype: "FP64", data: new Float64Array(8) }, FREE],
    ["inputs.x must be FP32; found FP64"],
  ],
  [
    "another size",
    [{ ...X, shape: [4, 2] }, FREE],
    ["inputs.x must have the shape [?, 4]; found [4, 2]"],
  ],
  [
    "another rank",
    [{ ...X, shape: [8] }, FREE],
    ["inputs.x must have the shape [?, 4]; found [8]"],
  ],
  [
    "data that disagrees",
    [{ ...X, shape: [3, 4] }, FREE],
    ["inputs.x has 8 elements, but its shape [3, 4] has 12"],
  ],
])("%s is named with the way out", (_name, inputs, problems) => {
  expect(check(inputs)).toEqual(problems);
});

test("wrong outputs are named by their place", () => {
  expect(check([X, FREE], ["y", "q", "y"])).toEqual([
    "outputs[1] is no output of this model; it has y, z",
    "outputs[2] is asked for twice",
  ]);
});

test("names can be checked before anything else is known", () => {
  expect(listProblems(() => assertInputNames(["x", "free"], SIGNATURE))).toEqual([]);
  expect(listProblems(() => assertInputNames(["w"], SIGNATURE))).toHaveLength(3);
});

test("a hostile number of wrong inputs gives a short list", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `${i}`.repeat(100));
  const problems = listProblems(() => assertInputNames(many, SIGNATURE));
  expect(problems.length).toBeLessThanOrEqual(16);
  for (const problem of problems) expect(problem.length).toBeLessThan(200);
});
