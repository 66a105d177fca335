import type { ClassificationMetrics } from "../evaluate/classification-metrics.ts";

/** How well a model does on one test set. */
export interface TestResult {
  readonly name: string;
  readonly metrics: ClassificationMetrics;
  /** Test texts that were trained on; the recipes make this 0 and measure it. */
  readonly leaks: number;
}
