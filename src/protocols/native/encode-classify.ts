import { SluiceError } from "../../core/errors.ts";
import type { InferenceResult, ItemResult } from "../../core/inference/result.ts";
import type { VectorMatch } from "../../core/ports/vector-store.ts";
import { formatMs, formatScore } from "../decimal.ts";
import { toWireMatch } from "./collections/encode-collection.ts";
import type { AnswerContext } from "./encode-context.ts";
import { encodeContext, encodeReading } from "./encode-context.ts";
import { encodeErrorDetail } from "./encode-error.ts";

/** Examples near each text, where they were asked for. */
type Neighbors = readonly (readonly VectorMatch[])[];

/** Body for the form `{text}`. `result` holds one item, which has an answer. */
export function encodeSingle(
  result: InferenceResult,
  context: AnswerContext,
  neighbors: Neighbors = [],
): string {
  const [item] = result.items;
  const version = item?.ok === true ? item.version : result.version;
  const encoded = item === undefined ? "{" : encodeItem(item, neighbors[0]).slice(0, -1);
  return `${encoded},${encodeContext(result.model, version, context)}}`;
}

/**
 * Body for the form `{texts}`: one entry per text, in order, each with predictions or an error of its own, and with the
 * version that answered where it is not the one of the whole answer.
 */
export function encodeBatch(
  result: InferenceResult,
  context: AnswerContext,
  neighbors: Neighbors = [],
): string {
  const items = result.items.map((item, index) => {
    const encoded = encodeItem(item, neighbors[index]);
    if (!item.ok || item.version === result.version) return encoded;
    return `${encoded.slice(0, -1)},"model_version":"${item.version}"}`;
  });
  return `{"results":[${items.join()}],${encodeContext(result.model, result.version, context)}}`;
}

function encodeItem(item: ItemResult, neighbors?: readonly VectorMatch[]): string {
  if (!item.ok) return JSON.stringify({ error: encodeErrorDetail(item.error) });
  const { prediction } = item;
  if (prediction.kind === "vector") throw new SluiceError("invalid_argument", NO_LABELS);
  const processingTimeMs = formatMs(item.durationMs);
  const predictions = prediction.labels.map(
    ({ label, score }) =>
      `{"label":${JSON.stringify(label)},"confidence":${formatScore(score)},"processing_time_ms":${processingTimeMs}}`,
  );
  const near =
    neighbors === undefined ? "" : `,"neighbors":${JSON.stringify(neighbors.map(toWireMatch))}`;
  return `{"predictions":[${predictions.join()}]${encodeReading(item, prediction)}${near}}`;
}

const NO_LABELS = "This model makes vectors, not labels; ask it with POST /v1/predictions.";
