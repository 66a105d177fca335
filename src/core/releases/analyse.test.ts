import { describe, expect, test } from "vitest";
import { analyse } from "./analyse.ts";
import type { Observation } from "./observation.ts";
import { EMPTY_OBSERVATION } from "./observation.ts";
import { createObservationRecorder } from "./observation-recorder.ts";
import type { MetricRule, ReleaseMetric } from "./release-metric.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { createPlan } from "./release-plan.ts";

const LABELS = ["ham", "spam"];

function planOf(metrics: readonly ReleaseMetric[], minSamples = 100): ReleasePlan {
  const strategy = { kind: "canary", stepWeight: 50, maxWeight: 100, stepWeights: null } as const;
  const basics = { model: "spam", candidate: "2", strategy, hasLabels: true, gateSet: null };
  return { ...createPlan(basics), metrics, minSamples };
}

const ruled = (rule: MetricRule): ReleaseMetric => ({ name: rule.kind, isDecisive: true, ...rule });

interface Seen {
  readonly answered?: number;
  readonly failed?: number;
  /** Of answer number `at`. */
  readonly latencyMs?: (at: number) => number;
  readonly spamScore?: (at: number) => number;
  readonly agreed?: number;
  readonly disagreed?: number;
  readonly gate?: readonly [right: number, total: number];
  readonly feedback?: readonly [right: number, wrong: number];
}

function observe(seen: Seen): Observation {
  const recorder = createObservationRecorder();
  const { latencyMs = () => 5, spamScore = (at: number) => (at % 100) / 100 } = seen;
  for (let at = 0; at < (seen.answered ?? 0); at++) {
    const spam = spamScore(at);
    const all = { labels: LABELS, scores: [1 - spam, spam] };
    const best = spam > 0.5 ? "spam" : "ham";
    recorder.recordAnswer({
      latencyMs: latencyMs(at),
      best,
      confidence: Math.max(spam, 1 - spam),
      all,
    });
  }
  for (let at = 0; at < (seen.failed ?? 0); at++) recorder.recordFailure("model_failed");
  for (let at = 0; at < (seen.agreed ?? 0); at++) recorder.recordAgreement("ham", "ham");
  for (let at = 0; at < (seen.disagreed ?? 0); at++) recorder.recordAgreement("ham", "spam");
  for (let at = 0; at < (seen.feedback?.[0] ?? 0); at++) recorder.recordFeedback(true);
  for (let at = 0; at < (seen.feedback?.[1] ?? 0); at++) recorder.recordFeedback(false);
  if (seen.gate !== undefined) recorder.recordGate("golden", ...seen.gate);
  return recorder.read();
}

interface Row {
  readonly when: string;
  readonly rule: MetricRule;
  readonly stable?: Seen;
  readonly candidate: Seen;
  readonly look?: number;
  readonly query?: number | null;
  readonly outcome: "pass" | "fail" | "inconclusive";
  readonly missing?: number;
  readonly reason?: RegExp;
}

function table(rows: readonly Row[]): void {
  test.each(rows.map((row) => [row.when, row] as const))("%s", (_, row) => {
    const queries = new Map(row.query === undefined ? [] : [[row.rule.kind, row.query]]);
    const stable = observe(row.stable ?? { answered: 2000 });
    const extra = { look: row.look ?? 1, queries };
    const analysis = analyse(planOf([ruled(row.rule)]), stable, observe(row.candidate), extra);
    const [check] = analysis.checks;
    expect(check?.reason).toMatch(row.reason ?? /./);
    expect(check?.outcome).toBe(row.outcome);
    expect(analysis.outcome).toBe(row.outcome);
    expect(analysis.missingSamples).toBe(row.missing ?? 0);
    expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
  });
}

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

describe("predictions", () => {
  const disagreement: MetricRule = { kind: "label_disagreement", maxRatio: 0.1 };
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
