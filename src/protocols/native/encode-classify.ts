import type { InferenceResult, ItemResult } from "../../core/inference/result.ts";
import { encodeErrorDetail } from "./encode-error.ts";

/** What an answer carries beside the result itself. */
export interface AnswerContext {
  readonly requestId: string;
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: number;
}

/** One label of `POST /classify`. */
interface WirePrediction {
  readonly label: string;
  readonly confidence: number;
  readonly processing_time_ms: number;
}

/** Body for the form `{text}`. `result` holds one item, which has an answer. */
export function encodeSingle(result: InferenceResult, context: AnswerContext): string {
  const [item] = result.items;
  return JSON.stringify({
    ...(item === undefined ? {} : encodeItem(item)),
    ...encodeContext(result, context),
  });
}

/** Body for the form `{texts}`: one entry per text, in order, each with predictions or an error of its own. */
export function encodeBatch(result: InferenceResult, context: AnswerContext): string {
  return JSON.stringify({
    results: result.items.map(encodeItem),
    ...encodeContext(result, context),
  });
}

function encodeContext(result: InferenceResult, { requestId, epochMs }: AnswerContext) {
  return {
    model: result.model,
    model_version: result.version,
    request_id: requestId,
    timestamp: new Date(epochMs).toISOString(),
  };
}

function encodeItem(item: ItemResult) {
  if (!item.ok) return { error: encodeErrorDetail(item.error) };
  const processingTimeMs = round(item.durationMs, 1e3);
  const predictions = item.labels.map(
    ({ label, score }): WirePrediction => ({
      label,
      confidence: round(score, 1e6),
      processing_time_ms: processingTimeMs,
    }),
  );
  return item.truncated ? { predictions, truncated: true } : { predictions };
}

/** Digits beyond a float's precision would only be noise on the wire. */
function round(value: number, scale: number): number {
  return Math.round(value * scale) / scale;
}
