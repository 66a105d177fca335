import fc from "fast-check";
import { expect, test } from "vitest";
import { ERROR_CODES } from "../errors.ts";
import { analyse } from "./analyse.ts";
import { findPlanProblems } from "./check-plan.ts";
import { decide } from "./decide.ts";
import type { Observation } from "./observation.ts";
import { SCORE_BINS } from "./observation.ts";
import type { MetricRule } from "./release-metric.ts";
import { METRIC_KINDS } from "./release-metric.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "./release-plan.ts";
import { createReleaseState } from "./release-state.ts";

const counts = fc.oneof(fc.constant(0), fc.nat({ max: 200 }), fc.nat({ max: 10_000_000 }));

/** Whatever replicas may have stored; the parts need not even fit together. */
const observations: fc.Arbitrary<Observation> = fc.record({
  answered: counts,
  failures: fc.array(fc.record({ code: fc.constantFrom(...ERROR_CODES), count: counts })),
  latency: fc.record({
    buckets: fc
      .uniqueArray(
        fc.tuple(fc.integer({ min: -115, max: 403 }), fc.integer({ min: 1, max: 1e6 })),
        {
          selector: ([bucket]) => bucket,
        },
      )
      .map((buckets) => buckets.sort(([a], [b]) => a - b)),
  }),
  labels: fc.uniqueArray(
    fc.record({
      label: fc.constantFrom("a", "b", "c"),
      best: counts,
      scores: fc.array(counts, { minLength: SCORE_BINS, maxLength: SCORE_BINS }),
    }),
    { selector: ({ label }) => label },
  ),
  otherBest: counts,
  abstained: counts,
  confidence: counts.chain((count) =>
    fc.record({
      count: fc.constant(count),
      millionths: fc.integer({ min: 0, max: count * 1_000_000 }),
    }),
  ),
  agreement: fc.record({
    agreed: counts,
    disagreed: counts,
    pairs: fc.constant([]),
    otherPairs: counts,
  }),
  feedback: fc.record({ right: counts, wrong: counts }),
  gates: fc.constantFrom([], [{ gateSet: "golden", right: 9, total: 10 }]),
  outputs: fc
    .record({
      metric: fc.constantFrom("output_disagreement", "x"),
      agreed: counts,
      disagreed: counts,
    })
    .map((one) => [one]),
});

const RULES: readonly MetricRule[] = [
  { kind: "success_rate", minRatio: 0.99, maxDrop: 0.005 },
  { kind: "latency", quantile: 0.99, maxMs: 500, maxTimesStable: 1.5, ignoreBelowMs: 10 },
  { kind: "label_disagreement", maxRatio: 0.1 },
  { kind: "output_disagreement", output: null, compare: "values", tolerance: 0.01, maxRatio: 0.1 },
  { kind: "stability_index", maxIndex: 0.2 },
  { kind: "score_distance", maxDistance: 0.2 },
  { kind: "confidence_drop", maxDrop: 0.1 },
  { kind: "gate_accuracy", gateSet: "golden", minRatio: 0.95, maxDrop: 0 },
  { kind: "feedback_accuracy", minRatio: 0.9, maxDrop: 0.1 },
  { kind: "query", query: "up", min: 0, max: 1 },
];

const plan: ReleasePlan = {
  ...createPlan({
    model: "m",
    candidate: "2",
    strategy: DEFAULT_STRATEGY,
    hasLabels: true,
    gateSet: "golden",
  }),
  metrics: RULES.map((rule) => ({ name: rule.kind, isDecisive: true, ...rule })),
};

test("every kind of metric is among those that are tried here", () => {
  expect(RULES.map(({ kind }) => kind)).toEqual([...METRIC_KINDS]);
});

test("whatever was observed, each check has an outcome, a reason, and numbers that survive JSON", () => {
  const queries = fc.constantFrom(new Map(), new Map([["query", Number.POSITIVE_INFINITY]]));
  const looks = fc.integer({ min: 1, max: 10_000 });
  fc.assert(
    fc.property(observations, observations, looks, queries, (stable, candidate, look, answers) => {
      const analysis = analyse(plan, stable, candidate, { look, queries: answers });
      expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
      expect(analysis.checks).toHaveLength(RULES.length);
      for (const { outcome, reason, missingSamples } of analysis.checks) {
        expect(["pass", "fail", "inconclusive"]).toContain(outcome);
        expect(reason).not.toMatch(/NaN|Infinity|undefined|null|^$/);
        if (outcome !== "inconclusive") continue;
        expect(missingSamples).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test("fewer samples than are needed never pass", () => {
  fc.assert(
    fc.property(observations, observations, (stable, candidate) => {
      const { checks } = analyse(plan, stable, candidate, { look: 1, queries: new Map() });
      for (const { kind, outcome, samples } of checks) {
        if (kind === "gate_accuracy" || kind === "query" || samples >= plan.minSamples) continue;
        if (kind === "stability_index" || kind === "score_distance") continue;
        expect(outcome).not.toBe("pass");
      }
    }),
  );
});

test("a version compared with itself never fails a comparison with stable", () => {
  const compared = ["stability_index", "score_distance", "confidence_drop"];
  fc.assert(
    fc.property(observations, (same) => {
      const { checks } = analyse(plan, same, same, { look: 1, queries: new Map() });
      for (const { kind, outcome } of checks) {
        if (compared.includes(kind)) expect(outcome).not.toBe("fail");
      }
    }),
  );
});

test("whatever numbers a plan has, it gets an answer, and a plan that is accepted can be decided by", () => {
  const number = fc.oneof(fc.double(), fc.integer({ min: -5, max: 200 }), fc.constant(Number.NaN));
  const plans = fc.record({
    stepWeight: fc.option(number),
    maxWeight: fc.option(number),
    stepWeights: fc.option(fc.array(number, { maxLength: 5 })),
    intervalMs: number,
    maxFailures: number,
    maxConsecutiveFailures: number,
    maxInconclusive: number,
    minSamples: number,
    falseAlarmRate: number,
    mirrorShare: number,
  });
  const release = { id: "r", model: "m", stable: "1", candidate: "2" };
  fc.assert(
    fc.property(plans, ({ stepWeight, maxWeight, stepWeights, ...limits }) => {
      const strategy = { kind: "canary", stepWeight, maxWeight, stepWeights } as const;
      const tried: ReleasePlan = { ...plan, ...limits, strategy };
      for (const { field, problem } of findPlanProblems(tried)) {
        expect(field).not.toBe("");
        expect(problem).not.toBe("");
      }
      if (findPlanProblems(tried).length > 0) return;
      const { next } = decide(createReleaseState(release, 0), null, tried, 0, {
        command: null,
        ready: { stable: true, candidate: true },
        candidateFailure: null,
        hookAnswers: [],
        canReplay: false,
        wasReplayed: false,
      });
      expect(next.phase).toBe("progressing");
    }),
  );
});
