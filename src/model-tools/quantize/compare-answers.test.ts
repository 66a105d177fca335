import { expect, test } from "vitest";
import { compareAnswers } from "./compare-answers.ts";

const rows = (...lists: number[][]) => lists.map((list) => Float32Array.from(list));

test("equal answers agree and do not drift", () => {
  const answers = rows([1, 2], [3, -1]);
  for (const kind of ["single-label", "multi-label"] as const) {
    expect(compareAnswers(answers, answers, kind)).toEqual({
      agreement: 1,
      meanDrift: 0,
      maxDrift: 0,
    });
  }
});

test("drift is the difference of probabilities", () => {
  // Softmax of [0, ln 3] is 1/4 and 3/4; of [0, 0] a half each.
  const { meanDrift, maxDrift } = compareAnswers(
    rows([0, Math.log(3)], [0, 0]),
    rows([0, 0], [0, 0]),
    "single-label",
  );
  expect(meanDrift).toBeCloseTo(0.125, 6);
  expect(maxDrift).toBeCloseTo(0.25, 6);
});

test("agreement is the share of texts with the same label", () => {
  const reference = rows([0, 1], [0, 1], [1, 0], [1, 0]);
  const answers = rows([0, 9], [1, 0], [1, 0], [1, 0]);
  expect(compareAnswers(reference, answers, "single-label").agreement).toBe(0.75);
});

test("with several labels all of them must be the same", () => {
  const reference = rows([1, 1, -1], [1, -1, -1]);
  const answers = rows([2, 3, -9], [1, 1, -1]);
  expect(compareAnswers(reference, answers, "multi-label").agreement).toBe(0.5);
});

test("features are compared by their direction", () => {
  const { agreement, meanDrift, maxDrift } = compareAnswers(
    rows([1, 0], [2, 2]),
    rows([0, 1], [5, 5]),
    "features",
  );
  expect(agreement).toBeUndefined();
  expect(meanDrift).toBeCloseTo(0.5, 12);
  expect(maxDrift).toBe(1);
});
