/**
 * What a candidate is judged by. Ratios are 0 to 1. A bound that is null is not looked at; every metric has one at least.
 * A metric that is not `isDecisive` is measured and shown, and decides nothing: the way to try a new one.
 */
export type ReleaseMetric = MetricBase & MetricRule;

export interface MetricBase {
  /** Unique within the plan; shown in the table, part of events. */
  readonly name: string;
  readonly isDecisive: boolean;
}

export type MetricRule =
  | SuccessRateRule
  | LatencyRule
  | DisagreementRule
  | OutputDisagreementRule
  | StabilityIndexRule
  | ScoreDistanceRule
  | ConfidenceDropRule
  | GateAccuracyRule
  | FeedbackRule
  | QueryRule;

/** Share of requests that were answered, of those whose end depends on the version. */
export interface SuccessRateRule {
  readonly kind: "success_rate";
  readonly minRatio: number | null;
  /** How far the candidate may be below stable. */
  readonly maxDrop: number | null;
}

/** A quantile of the time that an answer took. */
export interface LatencyRule {
  readonly kind: "latency";
  /** E.g. 0.99; above 0, below 1. */
  readonly quantile: number;
  readonly maxMs: number | null;
  /** Times the same quantile of stable. */
  readonly maxTimesStable: number | null;
  /** Below this the comparison with stable is passed: twice very little is very little. */
  readonly ignoreBelowMs: number;
}

/** Share of the texts asked of both versions on which their best labels differ. */
export interface DisagreementRule {
  readonly kind: "label_disagreement";
  readonly maxRatio: number;
}

/**
 * Share of the answers asked of both versions that differ: rows of tensors, vectors and values of texts. What a difference
 * means only the model's owner knows, so by itself it is shown and decides nothing.
 */
export interface OutputDisagreementRule {
  readonly kind: "output_disagreement";
  /** The output of a model of tensors that is compared; null = all of them, and for models of texts. */
  readonly output: string | null;
  readonly compare: (typeof OUTPUT_COMPARISONS)[number];
  /** With `values`: how far floats may be apart, relative to their size: 0.01 is 1 %. All else has to be the same. */
  readonly tolerance: number;
  readonly maxRatio: number;
}

/** `values`: floats are near, all else is the same. `top`: the largest value of the last axis is at the same place. */
export const OUTPUT_COMPARISONS = ["values", "top"] as const;

/** Population stability index of the scores, of the label where it is highest. */
export interface StabilityIndexRule {
  readonly kind: "stability_index";
  /** Usual reading: below 0.1 no shift, 0.1 to 0.2 some, above 0.2 much. */
  readonly maxIndex: number;
}

/** Kolmogorov–Smirnov distance of the scores, of the label where it is largest. */
export interface ScoreDistanceRule {
  readonly kind: "score_distance";
  /** Largest difference of the two cumulative shares, 0 to 1. */
  readonly maxDistance: number;
}

/** How far the mean confidence is below that of stable. */
export interface ConfidenceDropRule {
  readonly kind: "confidence_drop";
  readonly maxDrop: number;
}

/** Share of right answers on a stored set of labelled texts, asked of both versions. */
export interface GateAccuracyRule {
  readonly kind: "gate_accuracy";
  readonly gateSet: string;
  readonly minRatio: number | null;
  readonly maxDrop: number | null;
}

/** Share of answers that callers said were right, of those about which they said something. */
export interface FeedbackRule {
  readonly kind: "feedback_accuracy";
  readonly minRatio: number | null;
  readonly maxDrop: number | null;
}

/** One number from a metrics server that speaks PromQL. */
export interface QueryRule {
  readonly kind: "query";
  readonly query: string;
  readonly min: number | null;
  readonly max: number | null;
}

export const METRIC_KINDS = [
  "success_rate",
  "latency",
  "label_disagreement",
  "output_disagreement",
  "stability_index",
  "score_distance",
  "confidence_drop",
  "gate_accuracy",
  "feedback_accuracy",
  "query",
] as const satisfies readonly MetricRule["kind"][];

export interface MetricChoice {
  readonly strategy: "canary" | "blue_green" | "ab" | "shadow";
  readonly hasLabels: boolean;
  readonly gateSet: string | null;
}

/**
 * What a release is judged by when its plan does not say. In an A/B release the two versions answer different callers,
 * so that their scores differ by themselves: what compares them without asking both the same texts is left out.
 */
export function defaultMetrics({ strategy, hasLabels, gateSet }: MetricChoice): ReleaseMetric[] {
  const metrics: ReleaseMetric[] = [
    {
      name: "success-rate",
      isDecisive: true,
      kind: "success_rate",
      minRatio: 0.99,
      maxDrop: 0.005,
    },
    {
      name: "latency-p99",
      isDecisive: true,
      kind: "latency",
      quantile: 0.99,
      maxMs: 500,
      maxTimesStable: 1.5,
      ignoreBelowMs: 10,
    },
  ];
  if (hasLabels) {
    metrics.push({
      name: "disagreement",
      isDecisive: true,
      kind: "label_disagreement",
      maxRatio: 0.1,
    });
  } else {
    metrics.push({
      ...{ name: "outputs", isDecisive: false, kind: "output_disagreement" },
      ...{ output: null, compare: "values", tolerance: 0.01, maxRatio: 0.1 },
    });
  }
  if (hasLabels && strategy !== "ab") {
    metrics.push(
      { name: "score-shift", isDecisive: true, kind: "stability_index", maxIndex: 0.2 },
      { name: "confidence", isDecisive: true, kind: "confidence_drop", maxDrop: 0.1 },
    );
  }
  if (gateSet !== null) {
    metrics.push({
      name: "gate",
      isDecisive: true,
      kind: "gate_accuracy",
      gateSet,
      minRatio: 0.95,
      maxDrop: null,
    });
  }
  return metrics;
}
