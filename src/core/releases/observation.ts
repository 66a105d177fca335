import type { ErrorCode } from "../errors.ts";
import type { LatencySketch } from "./statistics/latency-sketch.ts";
import { EMPTY_SKETCH, mergeLatencySketches } from "./statistics/latency-sketch.ts";
import type { Trials } from "./statistics/sequential-evidence.ts";

/** Bins that scores from 0 to 1 are counted in, of equal width. */
export const SCORE_BINS = 20;
/** Labels, and pairs of labels, that are counted one by one; of more than these, those that come first in the alphabet. */
export const MAX_LABELS = 256;
export const MAX_PAIRS = 1024;
/** Confidences are added as whole millionths, so that a sum does not depend on the order. */
export const CONFIDENCE_UNITS = 1_000_000;

/**
 * What was seen of one version over some time, by one replica or, merged, by all. Plain JSON of bounded size; holds no
 * text. Only answers that the version itself computed belong here, none from a cache: the cache of a new version is empty.
 */
export interface Observation {
  /** Texts that were answered. */
  readonly answered: number;
  /** Texts that were not, by the code of the error, in the order of the codes. */
  readonly failures: readonly CodeCount[];
  /** Of the texts that were answered. */
  readonly latency: LatencySketch;
  /** By label, in the order of `<`. */
  readonly labels: readonly LabelCount[];
  /** How often a label was best that is not counted by itself. */
  readonly otherBest: number;
  /** Texts for which no label was certain enough. */
  readonly abstained: number;
  /** Of the best labels: how many there were, and the sum of their scores in millionths. */
  readonly confidence: { readonly count: number; readonly millionths: number };
  /** Kept with the candidate: texts that both versions were asked. */
  readonly agreement: Agreement;
  /** What callers said about answers. */
  readonly feedback: { readonly right: number; readonly wrong: number };
  /** Complete runs of sets of labelled texts, in the order of their names. */
  readonly gates: readonly GateCount[];
  /** Kept with the candidate: answers of both versions that were compared, by the name of the metric, in the order of `<`. */
  readonly outputs: readonly OutputCount[];
}

export interface CodeCount {
  readonly code: ErrorCode;
  readonly count: number;
}

export interface LabelCount {
  readonly label: string;
  /** How often it was best. */
  readonly best: number;
  /** Of every text that was answered: its score, in `SCORE_BINS` bins. */
  readonly scores: readonly number[];
}

export interface Agreement {
  readonly agreed: number;
  readonly disagreed: number;
  /** What was disagreed about, in the order of `<`, first by the label of stable; null = abstained, and comes first. */
  readonly pairs: readonly PairCount[];
  readonly otherPairs: number;
}

export interface PairCount {
  readonly stable: string | null;
  readonly candidate: string | null;
  readonly count: number;
}

export interface GateCount {
  readonly gateSet: string;
  readonly right: number;
  readonly total: number;
}

export interface OutputCount {
  readonly metric: string;
  readonly agreed: number;
  readonly disagreed: number;
}

export const EMPTY_OBSERVATION: Observation = {
  answered: 0,
  failures: [],
  latency: EMPTY_SKETCH,
  labels: [],
  otherBest: 0,
  abstained: 0,
  confidence: { count: 0, millionths: 0 },
  agreement: { agreed: 0, disagreed: 0, pairs: [], otherPairs: 0 },
  feedback: { right: 0, wrong: 0 },
  gates: [],
  outputs: [],
};

/** Errors that speak against the version. The others are the caller's doing: wrong input, no right, gone away. */
export const FAULTS: readonly ErrorCode[] = [
  "model_failed",
  "internal",
  "unavailable",
  "deadline_exceeded",
  "overloaded",
];

/** Whether an error speaks against the version that gave it. */
export function isFault(code: ErrorCode): boolean {
  return FAULTS.includes(code);
}

/** Texts whose end depended on the version, and how many of them were answered. */
export function readSuccesses({ answered, failures }: Observation): Trials {
  let trials = answered;
  for (const { code, count } of failures) if (isFault(code)) trials += count;
  return { successes: answered, trials };
}

/**
 * What would have been observed together. Associative and commutative, so that replicas and windows are added in any
 * order: sums are of whole numbers, and of too many labels always the same are kept.
 */
export function mergeObservations(a: Observation, b: Observation): Observation {
  const labels = limitLabels(mergeSorted(a.labels, b.labels, compareLabels, addLabels));
  const pairs = limitPairs(
    mergeSorted(a.agreement.pairs, b.agreement.pairs, comparePairs, addCounts),
  );
  return {
    answered: a.answered + b.answered,
    failures: mergeSorted(a.failures, b.failures, compareCodes, addCounts),
    latency: mergeLatencySketches(a.latency, b.latency),
    labels: labels.kept,
    otherBest: a.otherBest + b.otherBest + labels.otherBest,
    abstained: a.abstained + b.abstained,
    confidence: {
      count: a.confidence.count + b.confidence.count,
      millionths: a.confidence.millionths + b.confidence.millionths,
    },
    agreement: {
      agreed: a.agreement.agreed + b.agreement.agreed,
      disagreed: a.agreement.disagreed + b.agreement.disagreed,
      pairs: pairs.kept,
      otherPairs: a.agreement.otherPairs + b.agreement.otherPairs + pairs.others,
    },
    feedback: {
      right: a.feedback.right + b.feedback.right,
      wrong: a.feedback.wrong + b.feedback.wrong,
    },
    gates: mergeSorted(a.gates, b.gates, compareGates, (one, other) => ({
      gateSet: one.gateSet,
      right: one.right + other.right,
      total: one.total + other.total,
    })),
    outputs: mergeSorted(a.outputs, b.outputs, compareOutputCounts, (one, other) => ({
      metric: one.metric,
      agreed: one.agreed + other.agreed,
      disagreed: one.disagreed + other.disagreed,
    })),
  };
}

/** Keeps the first labels: what is not among the first of a part is not among the first of the whole either. */
export function limitLabels(sorted: readonly LabelCount[]): {
  readonly kept: readonly LabelCount[];
  readonly otherBest: number;
} {
  const rest = sorted.slice(MAX_LABELS);
  return {
    kept: sorted.slice(0, MAX_LABELS),
    otherBest: rest.reduce((sum, { best }) => sum + best, 0),
  };
}

/** Keeps the first pairs, in the same way. */
export function limitPairs(sorted: readonly PairCount[]): {
  readonly kept: readonly PairCount[];
  readonly others: number;
} {
  const rest = sorted.slice(MAX_PAIRS);
  return {
    kept: sorted.slice(0, MAX_PAIRS),
    others: rest.reduce((sum, { count }) => sum + count, 0),
  };
}

type Order<T> = (a: T, b: T) => number;

/** Orders in which the lists of an observation are kept. */
export const compareLabels: Order<LabelCount> = (a, b) => compareTexts(a.label, b.label);
export const compareCodes: Order<CodeCount> = (a, b) => compareTexts(a.code, b.code);
export const compareGates: Order<GateCount> = (a, b) => compareTexts(a.gateSet, b.gateSet);
export const compareOutputCounts: Order<OutputCount> = (a, b) => compareTexts(a.metric, b.metric);
export const comparePairs: Order<PairCount> = (a, b) =>
  compareTexts(a.stable, b.stable) || compareTexts(a.candidate, b.candidate);

/** By UTF-16 code units, the same on every machine; null first. */
function compareTexts(a: string | null, b: string | null): number {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? -1 : 1;
  return a < b ? -1 : 1;
}

function mergeSorted<T>(a: readonly T[], b: readonly T[], order: Order<T>, add: (a: T, b: T) => T) {
  const merged: T[] = [];
  for (const item of [...a, ...b].sort(order)) {
    const last = merged.at(-1);
    if (last !== undefined && order(last, item) === 0) merged[merged.length - 1] = add(last, item);
    else merged.push(item);
  }
  return merged;
}

function addCounts<T extends { readonly count: number }>(a: T, b: T): T {
  return { ...a, count: a.count + b.count };
}

function addLabels(a: LabelCount, b: LabelCount): LabelCount {
  return {
    label: a.label,
    best: a.best + b.best,
    scores: a.scores.map((count, bin) => count + (b.scores[bin] ?? 0)),
  };
}
