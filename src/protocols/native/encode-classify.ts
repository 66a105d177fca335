import type { InferenceResult, ItemResult } from "../../core/inference/result.ts";
import { formatMs, formatScore } from "../decimal.ts";
import { encodeErrorDetail } from "./encode-error.ts";

/** What an answer carries beside the result itself. */
export interface AnswerContext {
  readonly requestId: string;
  /** ISO 8601, in UTC. */
  readonly timestamp: string;
}

/** Body for the form `{text}`. `result` holds one item, which has an answer. */
export function encodeSingle(result: InferenceResult, context: AnswerContext): string {
  const [item] = result.items;
  return `${item === undefined ? "{" : encodeItem(item).slice(0, -1)},${encodeContext(result, context)}}`;
}

/** Body for the form `{texts}`: one entry per text, in order, each with predictions or an error of its own. */
export function encodeBatch(result: InferenceResult, context: AnswerContext): string {
  return `{"results":[${result.items.map(encodeItem).join()}],${encodeContext(result, context)}}`;
}

/**
 * Members that every answer ends with. Put together by hand, which is faster than one large stringify; names and
 * versions of models and our own ids hold nothing that JSON escapes (see `core/models/manifest.ts`).
 */
function encodeContext(result: InferenceResult, { requestId, timestamp }: AnswerContext): string {
  return `"model":"${result.model}","model_version":"${result.version}","request_id":"${requestId}","timestamp":"${timestamp}"`;
}

function encodeItem(item: ItemResult): string {
  if (!item.ok) return JSON.stringify({ error: encodeErrorDetail(item.error) });
  const processingTimeMs = formatMs(item.durationMs);
  const predictions = item.labels.map(
    ({ label, score }) =>
      `{"label":${JSON.stringify(label)},"confidence":${formatScore(score)},"processing_time_ms":${processingTimeMs}}`,
  );
  return `{"predictions":[${predictions.join()}]${item.truncated ? ',"truncated":true' : ""}}`;
}
