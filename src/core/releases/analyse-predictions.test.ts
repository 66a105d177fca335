import { describe } from "vitest";
import { table } from "../../../test/support/analysis-rows.ts";
import type { MetricRule } from "./release-metric.ts";

describe("predictions", () => {
  const disagreement: MetricRule = { kind: "label_disagreement", maxRatio: 0.1 };
  const outputs: MetricRule = {
    ...{ kind: "output_disagreement", output: null, compare: "values" },
    ...{ tolerance: 0.01, maxRatio: 0.1 },
  };
  const index: MetricRule = { kind: "stability_index", maxIndex: 0.2 };
  const distance: MetricRule = { kind: "score_distance", maxDistance: 0.2 };
  const confidence: MetricRule = { kind: "confidence_drop", maxDrop: 0.1 };
  const shifted = {
    answered: 1000,
    spamScore: (at: number) => Math.min(1, 0.4 + (at % 100) / 160),
  };
  const swapped = { answered: 1000, spamScore: (at: number) => 1 - ((at * 7) % 100) ** 2 / 10_000 };
  const skewed = { answered: 2000, spamScore: (at: number) => ((at * 7) % 100) ** 2 / 10_000 };
  const halfSure = (answered: number) => ({ answered, spamScore: () => 0.55 });
  table([
    {
      when: "few disagreements pass",
      rule: disagreement,
      candidate: { agreed: 970, disagreed: 30 },
      outcome: "pass",
    },
    {
      when: "many fail, with fewer texts than are needed to pass",
      rule: disagreement,
      candidate: { agreed: 50, disagreed: 40 },
      outcome: "fail",
    },
    {
      when: "no text asked of both says nothing",
      rule: disagreement,
      candidate: { answered: 1000 },
      outcome: "inconclusive",
      missing: 100,
    },
    {
      when: "answers of the same kind pass",
      rule: outputs,
      candidate: { outputs: { agreed: 970, disagreed: 30 } },
      outcome: "pass",
      reason: /^3 % of 1000, at most 10 %$/,
    },
    {
      when: "other answers fail",
      rule: outputs,
      candidate: { outputs: { agreed: 50, disagreed: 40 } },
      outcome: "fail",
    },
    {
      when: "answers that were not compared say nothing",
      rule: outputs,
      candidate: { answered: 1000, agreed: 1000 },
      outcome: "inconclusive",
      missing: 100,
    },
    { when: "the same scores pass", rule: index, candidate: { answered: 1000 }, outcome: "pass" },
    {
      when: "scores that shifted fail",
      rule: index,
      candidate: shifted,
      outcome: "fail",
      reason: /at label "(ham|spam)" is above 0.2$/,
    },
    {
      when: "labels that were swapped fail",
      rule: index,
      stable: skewed,
      candidate: swapped,
      outcome: "fail",
    },
    {
      when: "a shift in few samples is no shift yet",
      rule: index,
      candidate: { answered: 60, spamScore: () => 0.9 },
      outcome: "inconclusive",
      missing: 40,
    },
    {
      when: "stable without scores leaves nothing to compare with",
      rule: index,
      stable: {},
      candidate: shifted,
      outcome: "inconclusive",
      missing: 100,
    },
    {
      when: "the same scores are not distant",
      rule: distance,
      candidate: { answered: 1000 },
      outcome: "pass",
    },
    { when: "shifted scores are", rule: distance, candidate: shifted, outcome: "fail" },
    {
      when: "confidence as before passes",
      rule: confidence,
      candidate: { answered: 1000 },
      outcome: "pass",
    },
    {
      when: "confidence that is much lower fails",
      rule: confidence,
      candidate: halfSure(2000),
      outcome: "fail",
    },
  ]);
});

describe("accuracy", () => {
  const gate: MetricRule = {
    kind: "gate_accuracy",
    gateSet: "golden",
    minRatio: 0.95,
    maxDrop: null,
  };
  const noDrop: MetricRule = { ...gate, minRatio: null, maxDrop: 0 };
  const feedback: MetricRule = { kind: "feedback_accuracy", minRatio: 0.9, maxDrop: null };
  table([
    { when: "19 of 20 are 95 %", rule: gate, candidate: { gate: [19, 20] }, outcome: "pass" },
    {
      when: "189 of 200 are not: a set of texts knows no chance",
      rule: gate,
      candidate: { gate: [189, 200] },
      outcome: "fail",
      reason: /^94.5 % of 200 is below 95 %$/,
    },
    {
      when: "a set that was not asked yet says nothing",
      rule: gate,
      candidate: {},
      outcome: "inconclusive",
    },
    {
      when: "one right answer less than stable is one too few where none is allowed",
      rule: noDrop,
      stable: { gate: [20, 20] },
      candidate: { gate: [19, 20] },
      outcome: "fail",
    },
    {
      when: "stable that was not asked leaves nothing to compare with",
      rule: noDrop,
      stable: {},
      candidate: { gate: [19, 20] },
      outcome: "inconclusive",
    },
    {
      when: "good feedback passes",
      rule: feedback,
      candidate: { feedback: [190, 10] },
      outcome: "pass",
    },
    {
      when: "bad feedback fails",
      rule: feedback,
      candidate: { feedback: [100, 100] },
      outcome: "fail",
    },
    {
      when: "three callers who complain are too few",
      rule: feedback,
      candidate: { feedback: [5, 3] },
      outcome: "inconclusive",
      missing: 92,
    },
  ]);
});

describe("a query", () => {
  const rule: MetricRule = { kind: "query", query: "gpu_memory_ratio", min: null, max: 0.9 };
  const candidate = {};
  table([
    { when: "within its bounds passes", rule, candidate, query: 0.5, outcome: "pass" },
    { when: "outside fails", rule, candidate, query: 0.95, outcome: "fail" },
    {
      when: "without an answer is no failure",
      rule,
      candidate,
      query: null,
      outcome: "inconclusive",
    },
    { when: "that was not asked is no failure", rule, candidate, outcome: "inconclusive" },
    {
      when: "that answers no number is no failure",
      rule,
      candidate,
      query: Number.NaN,
      outcome: "inconclusive",
    },
  ]);
});
