import type { CheckOutcome, CheckResult, Verdict } from "./check-result.ts";
import {
  failed,
  passed,
  renderNumber,
  renderPercent,
  undecided,
  worstOutcome,
  worstVerdict,
} from "./check-result.ts";
import {
  compareDistance,
  compareStability,
  judgeLatency,
  judgeLatencyRatio,
  judgeShift,
} from "./judge-distributions.ts";
import { judgeDrop, judgeMaximum, judgeMinimum, rateOf } from "./judge-rates.ts";
import type { Observation } from "./observation.ts";
import { CONFIDENCE_UNITS, readSuccesses } from "./observation.ts";
import type { GateAccuracyRule, LatencyRule, MetricRule, QueryRule } from "./release-metric.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { listStepWeights } from "./release-plan.ts";
import { countLatencies, readLatencyQuantile } from "./statistics/latency-sketch.ts";
import { readQuantileInterval } from "./statistics/quantile-interval.ts";
import type { Trials } from "./statistics/sequential-evidence.ts";
import { spendAlpha, toRateInterval } from "./statistics/sequential-evidence.ts";

/** What is known beside the two windows. */
export interface AnalysisExtra {
  /** How often this window has been looked at, this time included; from 1. */
  readonly look: number;
  /** Answers to the plan's queries by the name of the metric; missing, null or no number = the source did not answer. */
  readonly queries: ReadonlyMap<string, number | null>;
}

/** What a check of a release found. Plain JSON. */
export interface Analysis {
  readonly checks: readonly CheckResult[];
  /** The worst outcome of the decisive checks. */
  readonly outcome: CheckOutcome;
  /** The most that any decisive check lacks; above 0, more traffic or a replay would help. */
  readonly missingSamples: number;
}

/** The windows, and how sure a comparison has to be. */
interface Evidence {
  readonly stable: Observation;
  readonly candidate: Observation;
  readonly minSamples: number;
  /** For tests that may be repeated. */
  readonly alpha: number;
  /** For tests of one look: what this look may spend. */
  readonly lookAlpha: number;
  readonly queries: AnalysisExtra["queries"];
}

/**
 * Judges a candidate by what both versions did in the same window. A check fails only on evidence that chance does not
 * explain, and passes only with enough samples; all else is inconclusive, a source that is silent too. The rate of false
 * alarms of the plan holds over all metrics, steps and looks. Pure.
 *
 * @param stable what stable did since the window began @param candidate the same of the candidate
 */
export function analyse(
  plan: ReleasePlan,
  stable: Observation,
  candidate: Observation,
  extra: AnalysisExtra,
): Analysis {
  // A metric has two bounds at most, and every step has a window of its own.
  const tests =
    2 * Math.max(1, plan.metrics.length) * Math.max(1, listStepWeights(plan.strategy).length);
  const alpha = plan.falseAlarmRate / tests;
  const evidence: Evidence = {
    stable,
    candidate,
    minSamples: plan.minSamples,
    alpha,
    lookAlpha: spendAlpha(alpha, Math.max(1, extra.look)),
    queries: extra.queries,
  };
  const checks = plan.metrics.map(({ name, isDecisive, ...rule }): CheckResult => {
    const found = judgeMetric(name, rule, evidence);
    return { name, kind: rule.kind, isDecisive, ...found };
  });
  const decisive = checks.filter(({ isDecisive }) => isDecisive);
  return {
    checks,
    outcome: worstOutcome(decisive.map(({ outcome }) => outcome)),
    missingSamples: Math.max(0, ...decisive.map(({ missingSamples }) => missingSamples)),
  };
}

type Found = Omit<CheckResult, "name" | "kind" | "isDecisive">;

function judgeMetric(name: string, rule: MetricRule, evidence: Evidence): Found {
  const { stable, candidate, alpha, minSamples, lookAlpha } = evidence;
  const look = { alpha: lookAlpha, minSamples };
  switch (rule.kind) {
    case "success_rate":
      return judgeRate(readSuccesses(stable), readSuccesses(candidate), rule, evidence);
    case "feedback_accuracy":
      return judgeRate(readFeedback(stable), readFeedback(candidate), rule, evidence);
    case "confidence_drop": {
      const bounds = { minRatio: null, maxDrop: rule.maxDrop };
      return judgeRate(readConfidence(stable), readConfidence(candidate), bounds, evidence);
    }
    case "label_disagreement": {
      const { agreed, disagreed } = candidate.agreement;
      const sample = { successes: disagreed, trials: agreed + disagreed };
      const verdict = judgeMaximum(sample, { bound: rule.maxRatio, alpha, minSamples });
      return toFound(verdict, measureRate(sample, null, alpha));
    }
    case "output_disagreement": {
      const sample = readOutputs(candidate, name);
      const verdict = judgeMaximum(sample, { bound: rule.maxRatio, alpha, minSamples });
      return toFound(verdict, measureRate(sample, null, alpha));
    }
    case "latency":
      return judgeLatencies(rule, evidence);
    case "stability_index": {
      const shift = judgeShift(stable, candidate, rule.maxIndex, compareStability, look);
      return toFound(shift, { value: shift.value, samples: candidate.answered });
    }
    case "score_distance": {
      const shift = judgeShift(stable, candidate, rule.maxDistance, compareDistance, look);
      return toFound(shift, { value: shift.value, samples: candidate.answered });
    }
    case "gate_accuracy":
      return judgeGate(rule, evidence);
    case "query":
      return judgeQuery(evidence.queries.get(name), rule);
  }
}

function judgeRate(
  stable: Trials,
  candidate: Trials,
  { minRatio, maxDrop }: { readonly minRatio: number | null; readonly maxDrop: number | null },
  { alpha, minSamples }: Evidence,
): Found {
  const verdicts: Verdict[] = [];
  if (minRatio !== null) {
    verdicts.push(judgeMinimum(candidate, { bound: minRatio, alpha, minSamples }));
  }
  if (maxDrop !== null) {
    verdicts.push(judgeDrop(stable, candidate, { bound: maxDrop, alpha, minSamples }));
  }
  return toFound(worstVerdict(verdicts), measureRate(candidate, stable, alpha));
}

function judgeLatencies(rule: LatencyRule, evidence: Evidence): Found {
  const { stable, candidate, minSamples, lookAlpha } = evidence;
  const look = { alpha: lookAlpha, minSamples };
  const { quantile, maxMs, maxTimesStable } = rule;
  const verdicts: Verdict[] = [];
  if (maxMs !== null) verdicts.push(judgeLatency(candidate.latency, { ...rule, maxMs }, look));
  if (maxTimesStable !== null) {
    const bounded = { ...rule, maxTimesStable };
    verdicts.push(judgeLatencyRatio(stable.latency, candidate.latency, bounded, look));
  }
  const samples = countLatencies(candidate.latency);
  const { estimateMs, lowerMs, upperMs } = readQuantileInterval(
    candidate.latency,
    quantile,
    lookAlpha,
  );
  return toFound(worstVerdict(verdicts), {
    value: estimateMs,
    ...(samples > 0 ? { lower: lowerMs, upper: upperMs } : {}),
    stableValue: readLatencyQuantile(stable.latency, quantile),
    samples,
  });
}

/** A set of texts is what it is: its accuracy is no estimate, so that one answer too few is too few. */
function judgeGate({ gateSet, minRatio, maxDrop }: GateAccuracyRule, evidence: Evidence): Found {
  const candidate = readGate(evidence.candidate, gateSet);
  const stable = readGate(evidence.stable, gateSet);
  const value = toRate(candidate);
  const verdicts: Verdict[] = [];
  if (value === null) verdicts.push(undecided(minRatio, "the candidate was not asked the set yet"));
  if (value !== null && minRatio !== null) {
    const numbers = `${renderPercent(value)} of ${candidate.trials}`;
    const isGood = value >= minRatio;
    verdicts.push(
      isGood
        ? passed(minRatio, `${numbers}, at least ${renderPercent(minRatio)}`)
        : failed(minRatio, `${numbers} is below ${renderPercent(minRatio)}`),
    );
  }
  if (value !== null && maxDrop !== null) verdicts.push(judgeGateDrop(value, stable, maxDrop));
  const stableValue = toRate(stable);
  return toFound(worstVerdict(verdicts), { value, stableValue, samples: candidate.trials });
}

function judgeGateDrop(value: number, stable: Trials, maxDrop: number): Verdict {
  const before = toRate(stable);
  if (before === null) return undecided(maxDrop, "stable was not asked the set yet");
  const numbers = `${renderPercent(value)} against ${renderPercent(before)} of stable`;
  if (before - value > maxDrop) return failed(maxDrop, `${numbers}: too much lower`);
  return passed(maxDrop, `${numbers}: no more than ${renderPercent(maxDrop)} lower`);
}

function judgeQuery(answer: number | null | undefined, { min, max }: QueryRule): Found {
  if (answer === undefined || answer === null || !Number.isFinite(answer)) {
    const silent = undecided(min ?? max, "the source gave no number");
    return toFound(silent, { value: null, samples: 0 });
  }
  const value = renderNumber(answer);
  if (min !== null && answer < min) {
    return toFound(failed(min, `${value} is below ${min}`), { value: answer, samples: 1 });
  }
  if (max !== null && answer > max) {
    return toFound(failed(max, `${value} is above ${max}`), { value: answer, samples: 1 });
  }
  return toFound(passed(max ?? min, `${value} is within its bounds`), {
    value: answer,
    samples: 1,
  });
}

/** Numbers of the candidate, and the value of stable. */
interface Measured {
  readonly value: number | null;
  readonly lower?: number;
  readonly upper?: number;
  readonly stableValue?: number | null;
  readonly samples: number;
}

function toFound({ outcome, bound, missingSamples, reason }: Verdict, measured: Measured): Found {
  const { value, lower, upper, stableValue = null, samples } = measured;
  return {
    outcome,
    value,
    lower: toFinite(lower),
    upper: toFinite(upper),
    stableValue,
    bound,
    samples,
    missingSamples,
    reason,
  };
}

/** JSON knows no infinity. */
function toFinite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function measureRate(candidate: Trials, stable: Trials | null, alpha: number): Measured {
  const measured = { value: toRate(candidate), samples: candidate.trials };
  const stableValue = stable === null ? null : toRate(stable);
  if (measured.value === null) return { ...measured, stableValue };
  return { ...measured, ...toRateInterval(candidate, alpha), stableValue };
}

function toRate(sample: Trials): number | null {
  return sample.trials > 0 ? rateOf(sample) : null;
}

function readFeedback({ feedback }: Observation): Trials {
  return { successes: feedback.right, trials: feedback.right + feedback.wrong };
}

function readConfidence({ confidence }: Observation): Trials {
  return { successes: confidence.millionths / CONFIDENCE_UNITS, trials: confidence.count };
}

function readOutputs({ outputs }: Observation, name: string): Trials {
  const { agreed = 0, disagreed = 0 } = outputs.find(({ metric }) => metric === name) ?? {};
  return { successes: disagreed, trials: agreed + disagreed };
}

function readGate({ gates }: Observation, gateSet: string): Trials {
  const gate = gates.find((known) => known.gateSet === gateSet);
  return { successes: gate?.right ?? 0, trials: gate?.total ?? 0 };
}
