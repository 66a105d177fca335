import type { TextManifest } from "../models/manifest.ts";
import type { RankedLabel } from "../text/labels.ts";
import { applyActivation, defaultTopK, rankLabels } from "../text/labels.ts";
import type { InferenceOptions } from "./request.ts";
import type { Prediction } from "./result.ts";

/**
 * What the outputs of a model for one text mean. Pure.
 *
 * Thresholds and abstention are about scores from 0 to 1, so they say nothing when the caller asks for raw outputs.
 *
 * @param row raw outputs: one logit per label, or the values of a vector
 */
export function toPrediction(
  row: Float32Array,
  manifest: TextManifest,
  options: InferenceOptions,
): Prediction {
  if (manifest.task === "embedding") return { kind: "vector", values: row };
  const activation = options.functionToApply ?? manifest.defaultFunction;
  const topK = options.topK ?? defaultTopK(manifest.problemType);
  const scores = applyActivation(row, activation);
  const labels = rankLabels(scores, manifest.labels, topK);
  const all = { labels: manifest.labels, scores, logits: row };
  if (activation === "none") return { kind: "labels", labels, abstained: false, all };
  if (manifest.problemType === "multi_label_classification") {
    const likely = dropUnlikely(labels, manifest.thresholds);
    return { kind: "labels", labels: likely, abstained: false, all };
  }
  const abstainBelow = options.abstainBelow ?? manifest.abstainBelow ?? 0;
  const abstained = (labels[0]?.score ?? 0) < abstainBelow;
  return { kind: "labels", labels: abstained ? [] : labels, abstained, all };
}

function dropUnlikely(
  labels: readonly RankedLabel[],
  thresholds: Readonly<Record<string, number>>,
): readonly RankedLabel[] {
  return labels.filter(({ label, score }) => score >= (thresholds[label] ?? 0));
}

/** What a prediction counts as in metrics: its best label, or what came in place of one. */
export function toPredictionName(prediction: Prediction): string {
  if (prediction.kind === "vector") return "vector";
  return prediction.labels[0]?.label ?? (prediction.abstained ? "abstained" : "none");
}
