import fc from "fast-check";
import { expect, test } from "vitest";
import { applyActivation, rankLabels } from "./labels.ts";

const logits = fc
  .array(fc.float({ min: -50, max: 50, noNaN: true }), { minLength: 2, maxLength: 8 })
  .map((values) => Float32Array.from(values));

test("softmax gives shares that add up to one and keep the order", () => {
  fc.assert(
    fc.property(logits, (row) => {
      const scores = applyActivation(row, "softmax");
      expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
      for (let i = 1; i < row.length; i++) {
        if ((row[i] ?? 0) > (row[i - 1] ?? 0))
          expect(scores[i]).toBeGreaterThanOrEqual(scores[i - 1] ?? 0);
      }
    }),
  );
});

test("softmax stays finite for the largest floats", () => {
  expect([...applyActivation(Float32Array.of(3e38, -3e38), "softmax")]).toEqual([1, 0]);
});

test("sigmoid judges each label alone and none leaves the outputs as they are", () => {
  expect(
    [...applyActivation(Float32Array.of(0, 100, -100), "sigmoid")].map((n) => Math.round(n * 10)),
  ).toEqual([5, 10, 0]);
  const row = Float32Array.of(1, -2);
  const same = applyActivation(row, "none");
  expect(same).toEqual(row);
  expect(same).not.toBe(row);
});

test("labels come best first, ties in the model's order, as many as asked for", () => {
  const labels = ["a", "b", "c", "d"];
  const scores = Float32Array.of(0.25, 0.5, 0.25, 0);
  expect(rankLabels(scores, labels, 0).map((one) => one.label)).toEqual(["b", "a", "c", "d"]);
  expect(rankLabels(scores, labels, 1).map((one) => one.label)).toEqual(["b"]);
  expect(rankLabels(scores, labels, 3).map((one) => one.label)).toEqual(["b", "a", "c"]);
  expect(rankLabels(scores, labels, 99)).toHaveLength(4);
});
