import type { ClassificationMetrics } from "../evaluate/classification-metrics.ts";

/** How well a model does on one test set. */
export interface TestResult {
  readonly name: string;
  readonly metrics: ClassificationMetrics;
  /** Test texts that were trained on; the recipes make this 0 and measure it. */
  readonly leaks: number;
}

/** What of a result goes into the manifest: everything but the confusion matrix, which grows with the labels squared. */
export function toRecordedResult({ name, metrics, leaks }: TestResult): Record<string, unknown> {
  const { confusion: _confusion, ...figures } = metrics;
  return { name, ...figures, leaks };
}
