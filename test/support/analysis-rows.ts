import { expect, test } from "vitest";
import { analyse } from "../../src/core/releases/analyse.ts";
import type { ComparedAnswers } from "../../src/core/releases/compare-outputs.ts";
import type { Observation } from "../../src/core/releases/observation.ts";
import { createObservationRecorder } from "../../src/core/releases/observation-recorder.ts";
import type { MetricRule, ReleaseMetric } from "../../src/core/releases/release-metric.ts";
import type { ReleasePlan } from "../../src/core/releases/release-plan.ts";
import { createPlan } from "../../src/core/releases/release-plan.ts";

const LABELS = ["ham", "spam"];

export function planOf(metrics: readonly ReleaseMetric[], minSamples = 100): ReleasePlan {
  const strategy = { kind: "canary", stepWeight: 50, maxWeight: 100, stepWeights: null } as const;
  const basics = { model: "spam", candidate: "2", strategy, hasLabels: true, gateSet: null };
  return { ...createPlan(basics), metrics, minSamples };
}

export const ruled = (rule: MetricRule): ReleaseMetric => ({
  name: rule.kind,
  isDecisive: true,
  ...rule,
});

/** What a version did in its window. */
export interface Seen {
  readonly answered?: number;
  readonly failed?: number;
  /** Of answer number `at`. */
  readonly latencyMs?: (at: number) => number;
  readonly spamScore?: (at: number) => number;
  readonly agreed?: number;
  readonly disagreed?: number;
  /** Answers that were compared for the metric `output_disagreement`. */
  readonly outputs?: ComparedAnswers;
  readonly gate?: readonly [right: number, total: number];
  readonly feedback?: readonly [right: number, wrong: number];
}

export function observe(seen: Seen): Observation {
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
  if (seen.outputs !== undefined) recorder.recordOutputs("output_disagreement", seen.outputs);
  if (seen.gate !== undefined) recorder.recordGate("golden", ...seen.gate);
  return recorder.read();
}

export interface AnalysisRow {
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

/** A test per row. */
export function table(rows: readonly AnalysisRow[]): void {
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
