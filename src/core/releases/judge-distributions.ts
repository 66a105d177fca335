import type { Verdict } from "./check-result.ts";
import { failed, passed, renderNumber, undecided } from "./check-result.ts";
import { judgeSize } from "./judge-rates.ts";
import type { LabelCount, Observation } from "./observation.ts";
import type { LatencyRule } from "./release-metric.ts";
import { compareBinnedSamples } from "./statistics/kolmogorov-smirnov.ts";
import type { LatencySketch } from "./statistics/latency-sketch.ts";
import { countLatencies } from "./statistics/latency-sketch.ts";
import { compareHistograms } from "./statistics/population-stability.ts";
import { compareQuantiles, readQuantileInterval } from "./statistics/quantile-interval.ts";

/** How sure one wants to be at this look. The tests of this file are for one look: alpha is what this look may spend. */
export interface LookRule {
  readonly alpha: number;
  readonly minSamples: number;
}

/** Whether a quantile is below its bound in milliseconds. */
export function judgeLatency(
  candidate: LatencySketch,
  { quantile, maxMs: bound }: LatencyRule & { readonly maxMs: number },
  { alpha, minSamples }: LookRule,
): Verdict {
  const missing = judgeSize(countLatencies(candidate), { bound, minSamples });
  if (missing !== null) return missing;
  const { estimateMs, lowerMs } = readQuantileInterval(candidate, quantile, alpha);
  const numbers = `${renderMs(estimateMs)} at ${renderQuantile(quantile)}`;
  if (lowerMs > bound) return failed(bound, `${numbers} is above ${renderMs(bound)}`);
  if ((estimateMs ?? 0) <= bound) return passed(bound, `${numbers}, at most ${renderMs(bound)}`);
  return undecided(bound, `${numbers} is above ${renderMs(bound)}, but that may be chance`);
}

/** Whether a quantile is no more than so many times that of stable. */
export function judgeLatencyRatio(
  stable: LatencySketch,
  candidate: LatencySketch,
  rule: LatencyRule & { readonly maxTimesStable: number },
  { alpha, minSamples }: LookRule,
): Verdict {
  const { quantile, maxTimesStable: bound, ignoreBelowMs } = rule;
  const missing =
    judgeSize(countLatencies(candidate), { bound, minSamples }) ??
    judgeSize(countLatencies(stable), { bound, minSamples }, " of stable");
  if (missing !== null) return missing;
  const { estimateMs } = readQuantileInterval(candidate, quantile, alpha);
  if ((estimateMs ?? 0) <= ignoreBelowMs) {
    return passed(bound, `${renderMs(estimateMs)}, too short to compare`);
  }
  const ratio = compareQuantiles(stable, candidate, quantile, alpha);
  const numbers = `${renderNumber(ratio.estimate ?? 0)} times stable at ${renderQuantile(quantile)}`;
  if (ratio.lower > bound) return failed(bound, `${numbers}, more than ${bound} times`);
  if ((ratio.estimate ?? 0) <= bound) return passed(bound, `${numbers}, at most ${bound} times`);
  return undecided(bound, `${numbers}, more than ${bound} times, but that may be chance`);
}

/** A verdict about the scores of one label, with what was measured. */
export interface ShiftVerdict extends Verdict {
  /** Of the label where it is highest; null while nothing can be compared. */
  readonly value: number | null;
}

type Compare = (
  stable: LabelCount,
  candidate: LabelCount,
) => { readonly value: number; readonly pValue: number };

/** Population stability index per label, over bins twice as wide as those that are recorded. */
export const compareStability: Compare = (stable, candidate) => {
  const { index, pValue } = compareHistograms(joinBins(stable.scores), joinBins(candidate.scores));
  return { value: index, pValue };
};

/** Kolmogorov–Smirnov distance per label. */
export const compareDistance: Compare = (stable, candidate) => {
  const { distance, pValue } = compareBinnedSamples(stable.scores, candidate.scores);
  return { value: distance, pValue };
};

/**
 * Whether the scores of any label have shifted. A shift beyond the bound counts only when chance does not explain it, with
 * all labels that are looked at sharing `alpha`. Labels that either version has not enough texts for are left out.
 */
export function judgeShift(
  stable: Observation,
  candidate: Observation,
  bound: number,
  compare: Compare,
  { alpha, minSamples }: LookRule,
): ShiftVerdict {
  const pairs = pairLabels(stable, candidate);
  const least = Math.min(sizeOfLargest(stable), sizeOfLargest(candidate));
  const missing = judgeSize(least, { bound, minSamples });
  if (missing !== null) return { ...missing, value: null };
  const enough = pairs.filter(
    (pair) => sizeOf(pair.stable) >= minSamples && sizeOf(pair.candidate) >= minSamples,
  );
  const shifts = enough
    .map((pair) => ({ label: pair.stable.label, ...compare(pair.stable, pair.candidate) }))
    .sort((a, b) => b.value - a.value);
  const [largest] = shifts;
  if (largest === undefined) {
    return { ...undecided(bound, "the versions have no label in common"), value: null };
  }
  const { value } = largest;
  // The largest shift need not be the surest one.
  const sure = shifts.find((shift) => shift.value > bound && shift.pValue <= alpha / shifts.length);
  if (sure !== undefined) {
    const numbers = `${renderNumber(sure.value)} at label ${JSON.stringify(sure.label)}`;
    return { ...failed(bound, `${numbers} is above ${bound}`), value: sure.value };
  }
  const numbers = `${renderNumber(value)} at label ${JSON.stringify(largest.label)}`;
  if (value <= bound) return { ...passed(bound, `${numbers}, at most ${bound}`), value };
  return { ...undecided(bound, `${numbers} is above ${bound}, but that may be chance`), value };
}

function pairLabels(stable: Observation, candidate: Observation) {
  const known = new Map(candidate.labels.map((label) => [label.label, label]));
  return stable.labels.flatMap((label) => {
    const other = known.get(label.label);
    return other === undefined ? [] : [{ stable: label, candidate: other }];
  });
}

function sizeOf({ scores }: LabelCount): number {
  return scores.reduce((sum, count) => sum + count, 0);
}

function sizeOfLargest({ labels }: Observation): number {
  return labels.reduce((largest, label) => Math.max(largest, sizeOf(label)), 0);
}

/** Two bins become one: the index is steadier, and less biased, with fewer. */
function joinBins(scores: readonly number[]): readonly number[] {
  const joined: number[] = [];
  for (let bin = 0; bin < scores.length; bin += 2) {
    joined.push((scores[bin] ?? 0) + (scores[bin + 1] ?? 0));
  }
  return joined;
}

function renderMs(ms: number | null): string {
  return ms === null ? "unknown" : `${renderNumber(ms)} ms`;
}

function renderQuantile(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(3))}`;
}
