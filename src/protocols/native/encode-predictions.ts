import type { InferenceResult, ItemResult, Prediction } from "../../core/inference/result.ts";
import { formatMs, formatScore } from "../decimal.ts";
import type { AnswerContext } from "./encode-context.ts";
import { encodeContext, encodeReading } from "./encode-context.ts";
import { encodeErrorDetail } from "./encode-error.ts";

/** Body of the answer of `POST /v1/predictions`: one entry of `outputs` per input, in order. */
export function encodePredictions(result: InferenceResult, context: AnswerContext): string {
  const outputs = result.items.map(encodeItem).join();
  return `{"outputs":[${outputs}],${encodeContext(result.model, result.version, context)}}`;
}

/** One entry of `outputs`. */
export function encodeItem(item: ItemResult): string {
  if (!item.ok) return JSON.stringify({ error: encodeErrorDetail(item.error) });
  const { prediction, version, source, durationMs } = item;
  const reading = encodeReading(item, prediction);
  const processingTimeMs = formatMs(durationMs);
  return `{${encodePrediction(prediction)},"model_version":"${version}","source":"${source}"${reading},"processing_time_ms":${processingTimeMs}}`;
}

function encodePrediction(prediction: Prediction): string {
  // Written by JSON's own rules, because a value may have overflowed and JSON has no infinities.
  if (prediction.kind === "vector") {
    return `"vector":${JSON.stringify(Array.from(prediction.values))}`;
  }
  const labels = prediction.labels.map(
    ({ label, score }) => `{"label":${JSON.stringify(label)},"score":${formatScore(score)}}`,
  );
  return `"labels":[${labels.join()}]`;
}
