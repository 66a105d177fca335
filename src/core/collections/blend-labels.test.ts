import { expect, test } from "vitest";
import type { Prediction } from "../inference/result.ts";
import { blendLabels } from "./blend-labels.ts";

const MODEL: Extract<Prediction, { kind: "labels" }> = {
  kind: "labels",
  labels: [{ label: "good", score: 0.75 }],
  abstained: false,
  all: {
    labels: ["bad", "good"],
    scores: Float32Array.of(0.25, 0.75),
    logits: Float32Array.of(0, 1),
  },
};
const SHARES = [
  { label: "bad", share: 0.5 },
  { label: "new", share: 0.5 },
];
const blend = (weight: number, topK: number | undefined = 0, abstainBelow?: number) =>
  blendLabels(MODEL, SHARES, weight, { topK, abstainBelow });

test("a weight of 0 leaves the model alone, and so do examples without a say", () => {
  expect(blend(0)).toBe(MODEL);
  expect(blendLabels(MODEL, [], 1, { topK: 0, abstainBelow: undefined })).toBe(MODEL);
});

test("scores are averaged label by label, and labels that the model never saw are among them", () => {
  expect(blend(0.5).labels).toEqual([
    { label: "bad", score: 0.375 },
    { label: "good", score: 0.375 },
    { label: "new", score: 0.25 },
  ]);
  expect(blend(1).labels.map(({ label }) => label)).toEqual(["bad", "new", "good"]);
});

test("as many labels as the caller wants, or as the model gave", () => {
  const asTheModel = blendLabels(MODEL, SHARES, 0.25, { topK: undefined, abstainBelow: undefined });
  expect(asTheModel.labels).toEqual([{ label: "good", score: 0.5625 }]);
  expect(blend(0.25, 2).labels).toHaveLength(2);
});

test("no label below the score from which on there is one", () => {
  expect(blend(0.5, 0, 0.4)).toMatchObject({ labels: [], abstained: true });
});
