import { expect, test } from "vitest";
import { blendScores, toLogits } from "./blend-scores.ts";

const opinion = (weight: number, scores: Readonly<Record<string, number>>) => ({
  labels: Object.keys(scores),
  scores: Float32Array.from(Object.values(scores)),
  weight,
});

test("the mean of scores is weighted, label by label", () => {
  const blended = blendScores(
    [opinion(1, { good: 0.75, bad: 0.25 }), opinion(3, { bad: 0.75, good: 0.25 })],
    "average",
  );
  expect(blended).toEqual({ labels: ["good", "bad"], scores: Float32Array.of(0.375, 0.625) });
});

test("a vote counts weights, not confidence", () => {
  const blended = blendScores(
    [opinion(1, { good: 1, bad: 0 }), opinion(3, { good: 0.375, bad: 0.625 })],
    "vote",
  );
  expect(blended?.scores).toEqual(Float32Array.of(0.25, 0.75));
});

test("opinions about other labels cannot be blended", () => {
  const first = opinion(1, { good: 1, bad: 0 });
  expect(blendScores([first, opinion(1, { good: 1, awful: 0 })], "average")).toBeUndefined();
  expect(blendScores([first, opinion(1, { good: 1 })], "average")).toBeUndefined();
  expect(blendScores([], "average")).toBeUndefined();
});

test("outputs made of scores 0 and 1 are numbers that can be sent", () => {
  const scores = Float32Array.of(0, 1);
  for (const isMultiLabel of [false, true]) {
    expect(toLogits(scores, isMultiLabel).every(Number.isFinite)).toBe(true);
  }
});
