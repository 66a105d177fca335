import { describe, expect, test } from "vitest";
import type { Seen } from "../../../test/support/analysis-rows.ts";
import { observe, planOf, ruled, table } from "../../../test/support/analysis-rows.ts";
import { analyse } from "./analyse.ts";
import { EMPTY_OBSERVATION } from "./observation.ts";
import type { MetricRule, ReleaseMetric } from "./release-metric.ts";

describe("success rate", () => {
  const atLeast: MetricRule = { kind: "success_rate", minRatio: 0.99, maxDrop: null };
  const noDrop: MetricRule = { kind: "success_rate", minRatio: null, maxDrop: 0.01 };
  table([
    {
      when: "enough that is good passes",
      rule: atLeast,
      candidate: { answered: 998, failed: 2 },
      outcome: "pass",
      reason: /^99.8 % of 1000, at least 99 %$/,
    },
    {
      when: "too few cannot pass, and the number that is missing is told",
      rule: atLeast,
      candidate: { answered: 30 },
      outcome: "inconclusive",
      missing: 70,
      reason: /^30 samples, 70 too few$/,
    },
    {
      when: "none at all is inconclusive",
      rule: atLeast,
      candidate: {},
      outcome: "inconclusive",
      missing: 100,
    },
    {
      when: "two failures in a hundred may be chance",
      rule: atLeast,
      candidate: { answered: 98, failed: 2 },
      outcome: "inconclusive",
      reason: /but that may be chance/,
    },
    {
      when: "two hundred in ten thousand are not",
      rule: atLeast,
      candidate: { answered: 9800, failed: 200 },
      outcome: "fail",
      reason: /^98 % of 10000 is below 99 %$/,
    },
    {
      when: "a version that answers nothing fails before there are enough samples",
      rule: atLeast,
      candidate: { failed: 10 },
      outcome: "fail",
    },
    {
      when: "a bad day of both is no drop",
      rule: noDrop,
      stable: { answered: 900, failed: 100 },
      candidate: { answered: 450, failed: 50 },
      outcome: "pass",
    },
    {
      when: "a drop against stable in the same window fails",
      rule: noDrop,
      stable: { answered: 1000 },
      candidate: { answered: 180, failed: 20 },
      outcome: "fail",
      reason: /^90 % of 200 against 100 % of 1000 of stable: more than 1 % lower$/,
    },
    {
      when: "too little of stable is told as such",
      rule: noDrop,
      stable: { answered: 40 },
      candidate: { answered: 200 },
      outcome: "inconclusive",
      missing: 60,
      reason: /^40 samples of stable, 60 too few$/,
    },
  ]);
});

describe("latency", () => {
  const base = { kind: "latency", quantile: 0.99, ignoreBelowMs: 10 } as const;
  const bounded: MetricRule = { ...base, maxMs: 500, maxTimesStable: null };
  const relative: MetricRule = { ...base, maxMs: null, maxTimesStable: 1.5 };
  const slowTail = (share: number) => (at: number) => (at % 1000 < share * 1000 ? 900 : 50);
  const steady = (ms: number) => ({ answered: 2000, latencyMs: (at: number) => ms + (at % 20) });
  table([
    { when: "below its bound passes", rule: bounded, candidate: steady(100), outcome: "pass" },
    {
      when: "a tail of 5 % above it fails",
      rule: bounded,
      candidate: { answered: 2000, latencyMs: slowTail(0.05) },
      outcome: "fail",
      reason: /at p99 is above 500 ms$/,
    },
    {
      when: "a tail of 1.2 % may be chance",
      rule: bounded,
      candidate: { answered: 2000, latencyMs: slowTail(0.012) },
      outcome: "inconclusive",
    },
    {
      when: "too few answers say nothing",
      rule: bounded,
      candidate: { answered: 20, latencyMs: () => 9000 },
      outcome: "inconclusive",
      missing: 80,
    },
    {
      when: "as fast as stable passes",
      rule: relative,
      stable: steady(100),
      candidate: steady(110),
      outcome: "pass",
    },
    {
      when: "twice as slow as stable fails",
      rule: relative,
      stable: steady(100),
      candidate: steady(250),
      outcome: "fail",
      reason: /times stable at p99, more than 1.5 times$/,
    },
    {
      when: "five times as slow as nearly nothing passes",
      rule: relative,
      stable: { answered: 2000, latencyMs: () => 0.2 },
      candidate: { answered: 2000, latencyMs: () => 1 },
      outcome: "pass",
      reason: /too short to compare/,
    },
    {
      when: "what looks slow in too few answers for the quantile is not decided",
      rule: relative,
      stable: { answered: 150, latencyMs: () => 100 },
      candidate: { answered: 150, latencyMs: () => 300 },
      outcome: "inconclusive",
    },
  ]);
});

describe("the interval of a value", () => {
  const rate = ruled({ kind: "success_rate", minRatio: 0.99, maxDrop: null });
  const latency = ruled({
    kind: "latency",
    quantile: 0.99,
    maxMs: 500,
    maxTimesStable: null,
    ignoreBelowMs: 0,
  });
  const checkOf = (metric: ReleaseMetric, seen: Seen) => {
    const extra = { look: 1, queries: new Map() };
    return analyse(planOf([metric]), EMPTY_OBSERVATION, observe(seen), extra).checks[0];
  };

  test("contains it, and gets narrower with more samples", () => {
    const few = checkOf(rate, { answered: 90, failed: 10 });
    const many = checkOf(rate, { answered: 9000, failed: 1000 });
    expect(few?.lower).toBeLessThan(0.8);
    expect(few?.upper).toBeGreaterThan(0.95);
    expect(many?.lower).toBeGreaterThan(0.88);
    expect(many?.upper).toBeLessThan(0.92);
  });

  test("is open above for a quantile that few samples do not reach, and unknown without any", () => {
    const few = checkOf(latency, { answered: 120, latencyMs: () => 50 });
    expect(few?.lower).toBeGreaterThan(45);
    expect(few?.upper).toBeNull();
    expect(checkOf(latency, {})).toMatchObject({ value: null, lower: null, upper: null });
    expect(checkOf(rate, {})).toMatchObject({ value: null, lower: null, upper: null });
  });
});

describe("all checks together", () => {
  const good = ruled({ kind: "success_rate", minRatio: 0.99, maxDrop: null });
  const silent = ruled({ kind: "query", query: "up", min: 1, max: null });
  const bad = ruled({ kind: "gate_accuracy", gateSet: "golden", minRatio: 0.95, maxDrop: null });
  const candidate = observe({ answered: 1000, gate: [1, 20] });
  const outcomeOf = (...metrics: ReleaseMetric[]) => {
    const extra = { look: 1, queries: new Map() };
    return analyse(planOf(metrics), EMPTY_OBSERVATION, candidate, extra).outcome;
  };

  test("fail with one that fails, and are inconclusive with one that is", () => {
    expect(outcomeOf(good)).toBe("pass");
    expect(outcomeOf(good, silent)).toBe("inconclusive");
    expect(outcomeOf(silent, good, bad)).toBe("fail");
  });

  test("do not listen to a metric that is not decisive, but show it", () => {
    expect(outcomeOf(good, { ...bad, isDecisive: false })).toBe("pass");
    const metrics = [good, { ...silent, isDecisive: false }];
    const extra = { look: 1, queries: new Map() };
    const { checks } = analyse(planOf(metrics), EMPTY_OBSERVATION, candidate, extra);
    expect(checks.map(({ outcome }) => outcome)).toEqual(["pass", "inconclusive"]);
  });

  test("say nothing against a release that is judged by hooks only", () => {
    expect(outcomeOf()).toBe("pass");
  });
});
