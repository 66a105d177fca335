import type { ModelRegistry } from "../models/registry.ts";
import type { TensorSpec } from "../ports/tensor.ts";
import { givesLabels } from "./gives-labels.ts";
import { refusePlan } from "./refuse-plan.ts";
import type { OutputDisagreementRule } from "./release-metric.ts";
import type { ReleasePlan } from "./release-plan.ts";

const NEEDS_LABELS: ReadonlySet<string> = new Set([
  "label_disagreement",
  "stability_index",
  "score_distance",
  "confidence_drop",
  "gate_accuracy",
  "feedback_accuracy",
]);

/** Metrics of what a model does not answer with would never come to a verdict. @throws SluiceError `invalid_argument` */
export function assertMetricsFit({ model, metrics }: ReleasePlan, registry: ModelRegistry): void {
  const hasLabels = givesLabels(model, registry);
  const tensors = registry.list().find((one) => one.model === model && one.tensors !== undefined);
  for (const [at, metric] of metrics.entries()) {
    const field = `metrics[${at}]`;
    if (!hasLabels && NEEDS_LABELS.has(metric.kind)) {
      throw refusePlan(`${field}.kind`, `needs labels, and ${model} gives none; leave it out`);
    }
    if (metric.kind !== "output_disagreement") continue;
    const outputs = tensors?.tensors?.backend.signature.outputs;
    const problem = findOutputProblem(metric, outputs);
    if (problem !== undefined) throw refusePlan(`${field}.output`, problem);
  }
}

/** @param outputs those of a model of tensors; undefined for a model of texts */
function findOutputProblem(
  { output, compare }: OutputDisagreementRule,
  outputs: readonly TensorSpec[] | undefined,
): string | undefined {
  if (output === null) return undefined;
  if (outputs === undefined) return "is for models of tensors; leave it out";
  const spec = outputs.find(({ name }) => name === output);
  if (spec === undefined) {
    return `is none of the model's, which are ${outputs.map(({ name }) => name).join(", ")}`;
  }
  const { datatype, shape } = spec;
  if (compare !== "top" || (datatype !== "BYTES" && datatype !== "BOOL" && shape?.length !== 1)) {
    return undefined;
  }
  return "has no largest value in a row; compare its values";
}
