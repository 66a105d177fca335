import type { MetricRule } from "../../../core/releases/release-metric.ts";
import type { StrategyKind } from "../../../core/releases/release-plan.ts";
import type { Shape } from "./read-shape.ts";

// The forms of a plan's parts. Whether their values make sense is for `findPlanProblems`.

const bound = { is: "number", otherwise: null } as const;
const needed = { is: "number" } as const;
const text = { is: "text" } as const;

export const STRATEGY_SHAPES: Readonly<Record<StrategyKind, Shape>> = {
  canary: { stepWeight: bound, maxWeight: bound, stepWeights: { is: "numbers", otherwise: null } },
  blue_green: { iterations: { is: "number", otherwise: 5 } },
  ab: { iterations: { is: "number", otherwise: 10 } },
  shadow: { share: { is: "number", otherwise: 10 }, iterations: { is: "number", otherwise: 10 } },
};

export const MATCH_SHAPE: Shape = {
  source: text,
  name: { is: "text", otherwise: null },
  test: { is: "text", otherwise: "exact" },
  value: text,
};

export const METRIC_SHAPES: Readonly<Record<MetricRule["kind"], Shape>> = {
  success_rate: { minRatio: bound, maxDrop: bound },
  latency: {
    quantile: { is: "number", otherwise: 0.99 },
    maxMs: bound,
    maxTimesStable: bound,
    ignoreBelowMs: { is: "number", otherwise: 10 },
  },
  label_disagreement: { maxRatio: needed },
  output_disagreement: {
    output: { is: "text", otherwise: null },
    compare: { is: "text", otherwise: "values" },
    tolerance: { is: "number", otherwise: 0.01 },
    maxRatio: needed,
  },
  stability_index: { maxIndex: needed },
  score_distance: { maxDistance: needed },
  confidence_drop: { maxDrop: needed },
  gate_accuracy: { gateSet: text, minRatio: bound, maxDrop: bound },
  feedback_accuracy: { minRatio: bound, maxDrop: bound },
  query: { query: text, min: bound, max: bound },
};

export const METRIC_SHAPE: Shape = { name: text, isDecisive: { is: "boolean", otherwise: true } };

export const HOOK_SHAPE: Shape = {
  name: text,
  type: text,
  url: text,
  timeoutMs: { is: "number", otherwise: 5000 },
  retries: { is: "number", otherwise: 0 },
};
