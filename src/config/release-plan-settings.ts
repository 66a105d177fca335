import { item } from "./setting.ts";

const NAME = { type: "string", minLength: 1 } as const;
const NUMBER = { type: "number" } as const;

const match = item(
  {
    source: { type: "string", enum: ["header", "cookie", "key"] },
    name: NAME,
    test: { type: "string", enum: ["exact", "prefix", "suffix"] },
    value: NAME,
  },
  ["name", "test"],
);

const strategy = item(
  {
    kind: { type: "string", enum: ["canary", "blue_green", "ab", "shadow"] },
    step_weight: NUMBER,
    max_weight: NUMBER,
    step_weights: { type: "array", items: NUMBER },
    iterations: NUMBER,
    matches: { type: "array", items: match },
    share: NUMBER,
  },
  ["step_weight", "max_weight", "step_weights", "iterations", "matches", "share"],
);

const metric = item(
  {
    name: NAME,
    kind: NAME,
    is_decisive: { type: "boolean" },
    min_ratio: NUMBER,
    max_ratio: NUMBER,
    max_drop: NUMBER,
    quantile: NUMBER,
    max_ms: NUMBER,
    max_times_stable: NUMBER,
    ignore_below_ms: NUMBER,
    max_index: NUMBER,
    max_distance: NUMBER,
    gate_set: NAME,
    query: NAME,
    min: NUMBER,
    max: NUMBER,
  },
  [
    "is_decisive",
    "min_ratio",
    "max_ratio",
    "max_drop",
    "quantile",
    "max_ms",
    "max_times_stable",
    "ignore_below_ms",
    "max_index",
    "max_distance",
    "gate_set",
    "query",
    "min",
    "max",
  ],
);

const hook = item({ name: NAME, type: NAME, url: NAME, timeout_ms: NUMBER, retries: NUMBER }, [
  "timeout_ms",
  "retries",
]);

/** A plan as the API takes it, without its candidate. What types do not tell is checked when the server starts. */
export const releasePlan = item(
  {
    model: { ...NAME, description: "Name of the model whose releases go by it." },
    strategy,
    interval_ms: NUMBER,
    ready_within_ms: NUMBER,
    max_failures: NUMBER,
    max_consecutive_failures: NUMBER,
    max_inconclusive: NUMBER,
    min_samples: NUMBER,
    false_alarm_rate: NUMBER,
    mirror_share: NUMBER,
    promotion: { type: "string", enum: ["automatic", "manual"] },
    sticky_by: item(
      { kind: { type: "string", enum: ["key", "subject", "request"] }, header: NAME },
      ["header"],
    ),
    metrics: { type: "array", items: metric },
    hooks: { type: "array", items: hook },
    gate_set: NAME,
    replay: item(
      {
        kind: { type: "string", enum: ["off", "sample"] },
        after_inconclusive: NUMBER,
        max_texts: NUMBER,
      },
      ["after_inconclusive", "max_texts"],
    ),
  },
  [
    "strategy",
    "interval_ms",
    "ready_within_ms",
    "max_failures",
    "max_consecutive_failures",
    "max_inconclusive",
    "min_samples",
    "false_alarm_rate",
    "mirror_share",
    "promotion",
    "sticky_by",
    "metrics",
    "hooks",
    "gate_set",
    "replay",
  ],
);
