import { expect, test } from "vitest";
import { mergeMetrics } from "./merge-metrics.ts";

const page = (predictions: number, loaded: number, lag: number, extra = "") => `\
# HELP ai_model_predictions_total Predictions by best label.
# TYPE ai_model_predictions_total counter
ai_model_predictions_total{model_version="m:1.0.0",prediction_label="a b"} ${predictions}
${extra}# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="0.1"} 1
seconds_bucket{le="+Inf"} ${predictions}
seconds_sum 0.5
seconds_count ${predictions}
# HELP ai_model_loaded 1 when the version can answer, 0 when it cannot.
# TYPE ai_model_loaded gauge
ai_model_loaded{model_version="m:1.0.0"} ${loaded}
# HELP nodejs_eventloop_lag_seconds Lag.
# TYPE nodejs_eventloop_lag_seconds gauge
nodejs_eventloop_lag_seconds ${lag}
`;

test("counters and histograms add up, a version is loaded when all have it, and the worst lag counts", () => {
  const only = 'ai_model_predictions_total{model_version="m:1.0.0",prediction_label="c"} 4\n';
  const merged = mergeMetrics([page(3, 1, 0.01), page(5, 0, 0.2, only)]);
  expect(merged).toContain('prediction_label="a b"} 8\n');
  expect(merged).toContain('prediction_label="c"} 4\n');
  expect(merged).toContain('seconds_bucket{le="0.1"} 2\n');
  expect(merged).toContain('seconds_bucket{le="+Inf"} 8\n');
  expect(merged).toContain("seconds_sum 1\nseconds_count 8\n");
  expect(merged).toContain('ai_model_loaded{model_version="m:1.0.0"} 0\n');
  expect(merged).toContain("nodejs_eventloop_lag_seconds 0.2\n");
});

test("one page stays as it is, and every name is described once", () => {
  expect(mergeMetrics([page(3, 1, 0.01)])).toBe(page(3, 1, 0.01));
  const merged = mergeMetrics([page(1, 1, 0), page(1, 1, 0), page(1, 1, 0)]);
  expect(merged.match(/# TYPE seconds histogram/g)).toHaveLength(1);
});
