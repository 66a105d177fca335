import type { ErrorCode } from "../errors.ts";
import type { ComparedAnswers } from "./compare-outputs.ts";
import type { Observation, PairCount } from "./observation.ts";
import {
  CONFIDENCE_UNITS,
  compareCodes,
  compareGates,
  compareLabels,
  compareOutputCounts,
  comparePairs,
  limitLabels,
  limitPairs,
  MAX_LABELS,
  MAX_PAIRS,
  SCORE_BINS,
} from "./observation.ts";
import { createLatencySketch, latencyBucketOf } from "./statistics/latency-sketch.ts";

/** One text that a version answered. */
export interface ObservedAnswer {
  readonly latencyMs: number;
  /** Best label; null where the model abstained or gives no labels. */
  readonly best: string | null;
  /** Score of the best label, 0 to 1; null where there is none. */
  readonly confidence: number | null;
  /** All labels of the model with their scores in the same order; null where the model gives none. */
  readonly all: { readonly labels: readonly string[]; readonly scores: ArrayLike<number> } | null;
}

/** Counts what is seen of one version in this process. Cheap enough for every answer; memory is bounded. */
export interface ObservationRecorder {
  recordAnswer(answer: ObservedAnswer): void;
  recordFailure(code: ErrorCode): void;
  /** A text that both versions were asked, with the best label of each; null = abstained. */
  recordAgreement(stable: string | null, candidate: string | null): void;
  recordFeedback(isRight: boolean): void;
  /** A whole run of a set of labelled texts. */
  recordGate(gateSet: string, right: number, total: number): void;
  /** Answers of both versions that were compared for a metric. */
  recordOutputs(metric: string, compared: ComparedAnswers): void;
  /** Everything since the start, or since the last `take`. */
  read(): Observation;
  /** The same, and begins anew. */
  take(): Observation;
}

interface Counts {
  answered: number;
  abstained: number;
  otherBest: number;
  confidences: number;
  millionths: number;
  agreed: number;
  disagreed: number;
  otherPairs: number;
  right: number;
  wrong: number;
  readonly failures: Map<ErrorCode, number>;
  readonly latency: Map<number, number>;
  readonly labels: Map<string, { best: number; readonly scores: number[] }>;
  readonly pairs: Map<string, PairCount>;
  readonly gates: Map<string, { right: number; total: number }>;
  readonly outputs: Map<string, ComparedAnswers>;
}

export function createObservationRecorder(): ObservationRecorder {
  let counts = createCounts();
  return {
    recordAnswer: (answer) => recordAnswer(counts, answer),
    recordFailure(code) {
      counts.failures.set(code, (counts.failures.get(code) ?? 0) + 1);
    },
    recordAgreement: (stable, candidate) => recordAgreement(counts, stable, candidate),
    recordFeedback(isRight) {
      if (isRight) counts.right++;
      else counts.wrong++;
    },
    recordGate(gateSet, right, total) {
      const before = counts.gates.get(gateSet) ?? { right: 0, total: 0 };
      counts.gates.set(gateSet, { right: before.right + right, total: before.total + total });
    },
    recordOutputs(metric, { agreed, disagreed }) {
      const before = counts.outputs.get(metric) ?? { agreed: 0, disagreed: 0 };
      counts.outputs.set(metric, {
        agreed: before.agreed + agreed,
        disagreed: before.disagreed + disagreed,
      });
    },
    read: () => toObservation(counts),
    take() {
      const taken = toObservation(counts);
      counts = createCounts();
      return taken;
    },
  };
}

/** Bin of a score. What is no number counts as 0, so that it shows. */
export function scoreBinOf(score: number): number {
  if (!(score > 0)) return 0;
  return Math.min(SCORE_BINS - 1, Math.floor(score * SCORE_BINS));
}

function recordAnswer(counts: Counts, { latencyMs, best, confidence, all }: ObservedAnswer): void {
  counts.answered++;
  const bucket = latencyBucketOf(latencyMs);
  counts.latency.set(bucket, (counts.latency.get(bucket) ?? 0) + 1);
  if (confidence !== null) {
    counts.confidences++;
    const bounded = confidence > 0 ? Math.min(1, confidence) : 0;
    counts.millionths += Math.round(bounded * CONFIDENCE_UNITS);
  }
  if (all === null) return;
  if (best === null) counts.abstained++;
  else labelOf(counts, best).best++;
  for (const [at, label] of all.labels.entries()) {
    const { scores } = labelOf(counts, label);
    const bin = scoreBinOf(all.scores[at] ?? 0);
    scores[bin] = (scores[bin] ?? 0) + 1;
  }
  if (counts.labels.size > 2 * MAX_LABELS) dropLabels(counts);
}

function recordAgreement(counts: Counts, stable: string | null, candidate: string | null): void {
  if (stable === candidate) {
    counts.agreed++;
    return;
  }
  counts.disagreed++;
  const key = JSON.stringify([stable, candidate]);
  const count = (counts.pairs.get(key)?.count ?? 0) + 1;
  counts.pairs.set(key, { stable, candidate, count });
  if (counts.pairs.size > 2 * MAX_PAIRS) dropPairs(counts);
}

function labelOf(counts: Counts, label: string): { best: number; readonly scores: number[] } {
  const known = counts.labels.get(label);
  if (known !== undefined) return known;
  const created = { best: 0, scores: new Array<number>(SCORE_BINS).fill(0) };
  counts.labels.set(label, created);
  return created;
}

/** Twice the limit may be held, so that this is rare. */
function dropLabels(counts: Counts): void {
  const { kept, otherBest } = limitLabels(sortLabels(counts));
  const names = new Set(kept.map(({ label }) => label));
  for (const label of counts.labels.keys()) if (!names.has(label)) counts.labels.delete(label);
  counts.otherBest += otherBest;
}

function dropPairs(counts: Counts): void {
  const { kept, others } = limitPairs(sortPairs(counts));
  counts.pairs.clear();
  for (const pair of kept) counts.pairs.set(JSON.stringify([pair.stable, pair.candidate]), pair);
  counts.otherPairs += others;
}

function sortLabels({ labels }: Counts) {
  return [...labels]
    .map(([label, { best, scores }]) => ({ label, best, scores: [...scores] }))
    .sort(compareLabels);
}

function sortPairs({ pairs }: Counts) {
  return [...pairs.values()].sort(comparePairs);
}

function toObservation(counts: Counts): Observation {
  const labels = limitLabels(sortLabels(counts));
  const pairs = limitPairs(sortPairs(counts));
  return {
    answered: counts.answered,
    failures: [...counts.failures].map(([code, count]) => ({ code, count })).sort(compareCodes),
    latency: createLatencySketch(counts.latency),
    labels: labels.kept,
    otherBest: counts.otherBest + labels.otherBest,
    abstained: counts.abstained,
    confidence: { count: counts.confidences, millionths: counts.millionths },
    agreement: {
      agreed: counts.agreed,
      disagreed: counts.disagreed,
      pairs: pairs.kept,
      otherPairs: counts.otherPairs + pairs.others,
    },
    feedback: { right: counts.right, wrong: counts.wrong },
    gates: [...counts.gates].map(([gateSet, gate]) => ({ gateSet, ...gate })).sort(compareGates),
    outputs: [...counts.outputs]
      .map(([metric, compared]) => ({ metric, ...compared }))
      .sort(compareOutputCounts),
  };
}

function createCounts(): Counts {
  return {
    answered: 0,
    abstained: 0,
    otherBest: 0,
    confidences: 0,
    millionths: 0,
    agreed: 0,
    disagreed: 0,
    otherPairs: 0,
    right: 0,
    wrong: 0,
    failures: new Map(),
    latency: new Map(),
    labels: new Map(),
    pairs: new Map(),
    gates: new Map(),
    outputs: new Map(),
  };
}
