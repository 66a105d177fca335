import { expect, test } from "vitest";
import type { Tensor } from "../../../core/ports/tensor.ts";
import { applyActivation } from "../../../core/text/labels.ts";
import type { RowOptions } from "./to-rows.ts";
import { toRows } from "./to-rows.ts";

const LABELS = ["bad", "fair", "good"];

function numbers(shape: readonly number[], ...values: number[]): Tensor {
  return { name: "out", datatype: "FP32", shape, data: Float32Array.from(values) };
}

function names(...data: string[]): Tensor {
  return { name: "labels", datatype: "BYTES", shape: [data.length], data };
}

function options(changes: Partial<RowOptions> = {}): RowOptions {
  return { holds: "probabilities", labels: LABELS, appliedFunction: "softmax", ...changes };
}

function expectScores(row: Float32Array | undefined, expected: readonly number[]): void {
  expect(row).toHaveLength(expected.length);
  for (const [index, value] of (row ?? []).entries()) {
    expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 6);
  }
}

test("logits and vectors stay as they are", () => {
  const output = numbers([2, 3], -1, 0, 50, 4, 5, 6);
  for (const holds of ["logits", "vector"] as const) {
    const rows = toRows(2, output, undefined, options({ holds }));
    expect(rows).toEqual([Float32Array.of(-1, 0, 50), Float32Array.of(4, 5, 6)]);
  }
});

test.each([
  [0.2, 0.3, 0.5],
  [0, 0, 1],
  [1e-9, 0.5, 0.5],
])("shares %s %s %s come back from softmax", (...shares) => {
  const [row] = toRows(1, numbers([1, 3], ...shares), undefined, options());
  expect(row?.every(Number.isFinite)).toBe(true);
  expectScores(row && applyActivation(row, "softmax"), shares);
});

test("scores that stand by themselves come back from sigmoid, also 0 and 1", () => {
  const scores = [0, 0.7, 1];
  const [row] = toRows(
    1,
    numbers([1, 3], ...scores),
    undefined,
    options({ appliedFunction: "sigmoid" }),
  );
  expect(row?.every(Number.isFinite)).toBe(true);
  expectScores(row && applyActivation(row, "sigmoid"), scores);
});

test("a single number of a model with two labels is the second one's", () => {
  const two = options({ labels: ["no", "yes"] });
  const rows = toRows(2, numbers([2, 1], 0.9, 0.25), undefined, two);
  expectScores(rows[0] && applyActivation(rows[0], "softmax"), [0.1, 0.9]);
  const [logits] = toRows(1, numbers([1], 3), undefined, { ...two, holds: "logits" });
  expect(logits).toEqual(Float32Array.of(0, 3));
});

test("lists of labels are put into the model's order, and what is left out has no score", () => {
  const listed = options({ holds: "labels" });
  const sorted = toRows(
    2,
    numbers([2, 2], 0.6, 0.4, 0.9, 0.1),
    names("good", "bad", "fair", "bad"),
    listed,
  );
  expectScores(sorted[0] && applyActivation(sorted[0], "softmax"), [0.4, 0, 0.6]);
  expectScores(sorted[1] && applyActivation(sorted[1], "softmax"), [0.1, 0.9, 0]);
  const [once] = toRows(1, numbers([1, 3], 0.5, 0.3, 0.2), names("good", "fair", "bad"), listed);
  expectScores(once && applyActivation(once, "softmax"), [0.2, 0.3, 0.5]);
});

test.each<[string, Tensor, Tensor | undefined, Partial<RowOptions>]>([
  ["a wrong width", numbers([1, 2], 0.5, 0.5), undefined, {}],
  ["too few rows", numbers([1], 0.5), undefined, {}],
  ["no numbers", numbers([2, 3], 1, 2, 3, Number.NaN, 5, 6), undefined, { holds: "logits" }],
  ["labels without names", numbers([2, 1], 0.5, 0.5), undefined, { holds: "labels" }],
  ["unknown labels", numbers([2, 1], 0.5, 0.5), names("good", "great"), { holds: "labels" }],
  ["texts", { ...names("a", "b"), name: "out" }, undefined, {}],
])("%s are the model's failure", (_name, output, listed, changes) => {
  expect(() => toRows(2, output, listed, options(changes))).toThrow(
    expect.objectContaining({ code: "model_failed" }),
  );
});
