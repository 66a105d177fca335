import type { AnsweringModel, ItemResult, Prediction } from "../../core/inference/result.ts";

/** What an answer carries beside the result itself. */
export interface AnswerContext {
  readonly requestId: string;
  /** ISO 8601, in UTC. */
  readonly timestamp: string;
}

/**
 * Members that every answer ends with. Put together by hand, which is faster than one large stringify; names and
 * versions of models and our own ids hold nothing that JSON escapes (see `core/models/manifest.ts`).
 */
export function encodeContext(
  model: string,
  version: string,
  { requestId, timestamp }: AnswerContext,
): string {
  return `"model":"${model}","model_version":"${version}","request_id":"${requestId}","timestamp":"${timestamp}"`;
}

/** How the text was read and by whom, with a leading comma; nothing when it was read whole, at once, and answered. */
export function encodeReading(item: ItemResult & { ok: true }, prediction: Prediction): string {
  const windows = item.windows > 1 ? `,"windows":${item.windows}` : "";
  const truncated = item.truncated ? ',"truncated":true' : "";
  const abstained = prediction.kind === "labels" && prediction.abstained ? ',"abstained":true' : "";
  return windows + truncated + abstained + encodeAnsweredBy(item.answeredBy);
}

/** Who answered, with a leading comma; nothing unless a graph did. */
export function encodeAnsweredBy(models: readonly AnsweringModel[] | undefined): string {
  return models === undefined ? "" : `,"answered_by":${JSON.stringify(models)}`;
}
