import type { FieldProblem } from "../errors.ts";
import type { MetricRule, OutputDisagreementRule, ReleaseMetric } from "./release-metric.ts";
import { METRIC_KINDS, OUTPUT_COMPARISONS } from "./release-metric.ts";

/** Everything because of which a plan's metrics cannot judge: no bound, a bound that means nothing, a name twice. */
export function findMetricProblems(metrics: readonly ReleaseMetric[]): FieldProblem[] {
  const names = metrics.map(({ name }) => name);
  return metrics.flatMap((metric, at) => {
    const problems = findRuleProblems(metric);
    if (metric.name === "") problems.push({ field: "name", problem: "must not be empty" });
    if (names.indexOf(metric.name) < at) {
      problems.push({ field: "name", problem: "must not be that of another metric" });
    }
    return problems.map(({ field, problem }) => ({ field: `metrics[${at}].${field}`, problem }));
  });
}

function findRuleProblems(rule: MetricRule): FieldProblem[] {
  switch (rule.kind) {
    case "success_rate":
    case "feedback_accuracy":
      return findRateProblems(rule);
    case "gate_accuracy":
      return [
        ...findRateProblems(rule),
        ...(rule.gateSet === "" ? [{ field: "gateSet", problem: "must name a set of texts" }] : []),
      ];
    case "latency": {
      const { quantile, maxMs, maxTimesStable, ignoreBelowMs } = rule;
      return [
        ...findMissingBound("maxMs", [maxMs, maxTimesStable], "maxMs or maxTimesStable"),
        ...(quantile > 0 && quantile < 1
          ? []
          : [{ field: "quantile", problem: "must be above 0 and below 1, e.g. 0.99" }]),
        ...findRangeProblems("maxMs", maxMs, 0.01, 1e7),
        ...findRangeProblems("maxTimesStable", maxTimesStable, 1, 1e6),
        ...findRangeProblems("ignoreBelowMs", ignoreBelowMs, 0, 1e7),
      ];
    }
    case "label_disagreement":
      return findRatioProblems("maxRatio", rule.maxRatio);
    case "output_disagreement":
      return findOutputProblems(rule);
    case "stability_index":
      return findRangeProblems("maxIndex", rule.maxIndex, 0.001, 100);
    case "score_distance":
      return findRatioProblems("maxDistance", rule.maxDistance);
    case "confidence_drop":
      return findRatioProblems("maxDrop", rule.maxDrop);
    case "query":
      return findQueryProblems(rule);
    default:
      return [{ field: "kind", problem: `must be one of ${METRIC_KINDS.join(", ")}` }];
  }
}

function findRateProblems(rule: {
  readonly minRatio: number | null;
  readonly maxDrop: number | null;
}): FieldProblem[] {
  const { minRatio, maxDrop } = rule;
  return [
    ...findMissingBound("minRatio", [minRatio, maxDrop], "minRatio or maxDrop"),
    ...(minRatio === null || (minRatio > 0 && minRatio <= 1)
      ? []
      : [{ field: "minRatio", problem: "must be above 0 and at most 1; 99 % is 0.99" }]),
    ...(maxDrop === null ? [] : findRatioProblems("maxDrop", maxDrop)),
  ];
}

function findOutputProblems(rule: OutputDisagreementRule): FieldProblem[] {
  const { output, compare, tolerance, maxRatio } = rule;
  const problems = [
    ...findRatioProblems("maxRatio", maxRatio),
    ...findRatioProblems("tolerance", tolerance),
  ];
  if (!OUTPUT_COMPARISONS.includes(compare)) {
    problems.push({ field: "compare", problem: `must be ${OUTPUT_COMPARISONS.join(" or ")}` });
  } else if (compare === "top" && output === null) {
    problems.push({ field: "output", problem: "must name the output whose largest value counts" });
  }
  return problems;
}

function findQueryProblems({
  query,
  min,
  max,
}: Extract<MetricRule, { kind: "query" }>): FieldProblem[] {
  const problems = [...findMissingBound("min", [min, max], "min or max")];
  if (query.trim() === "") problems.push({ field: "query", problem: "must not be empty" });
  for (const [field, bound] of Object.entries({ min, max })) {
    if (bound !== null && !Number.isFinite(bound)) {
      problems.push({ field, problem: "must be a number" });
    }
  }
  if (min !== null && max !== null && min > max) {
    problems.push({ field: "max", problem: `must be at least min, which is ${min}` });
  }
  return problems;
}

function findMissingBound(
  field: string,
  bounds: readonly (number | null)[],
  names: string,
): FieldProblem[] {
  if (bounds.some((bound) => bound !== null)) return [];
  return [{ field, problem: `give ${names}: without a bound the metric says nothing` }];
}

/** A share that is allowed: 1 and more would allow everything. */
function findRatioProblems(field: string, value: number): FieldProblem[] {
  if (value >= 0 && value < 1) return [];
  return [{ field, problem: "must be at least 0 and below 1; 5 % is 0.05" }];
}

function findRangeProblems(
  field: string,
  value: number | null,
  least: number,
  most: number,
): FieldProblem[] {
  if (value === null || (value >= least && value <= most)) return [];
  return [{ field, problem: `must be ${least} to ${most}` }];
}
