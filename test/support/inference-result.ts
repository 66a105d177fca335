import type { ErrorCode } from "../../src/core/errors.ts";
import { SluiceError } from "../../src/core/errors.ts";
import type { InferenceResult, ItemResult, Prediction } from "../../src/core/inference/result.ts";

/** What a model said about one text, as golden files write it. */
export type WrittenItem = (
  | { readonly scores: Readonly<Record<string, number>> }
  | { readonly vector: readonly number[] }
  | { readonly error: { readonly code: ErrorCode; readonly message: string } }
) & { readonly windows?: number; readonly truncated?: boolean };

/** A result of the model `reviews` 1.0.0, for tests of encoders. Labels are in the order that they are written in. */
export function toInferenceResult(items: readonly WrittenItem[]): InferenceResult {
  const timings = { cacheMs: 0, tokenizeMs: 0.4, queueMs: 1.6, inferMs: 12 };
  return { model: "reviews", version: "1.0.0", items: items.map(toItem), timings };
}

function toItem(item: WrittenItem): ItemResult {
  if ("error" in item) {
    const { code, message } = item.error;
    return { ok: false, error: new SluiceError(code, message) };
  }
  const { windows = 1, truncated = false } = item;
  const prediction = "vector" in item ? toVector(item.vector) : toLabels(item.scores);
  return {
    ok: true,
    version: "1.0.0",
    prediction,
    source: "model",
    windows,
    truncated,
    durationMs: 15,
  };
}

function toVector(values: readonly number[]): Prediction {
  return { kind: "vector", values: Float32Array.from(values) };
}

/** As if the package reported no label at all: encoders of these dialects must not mind. */
function toLabels(written: Readonly<Record<string, number>>): Prediction {
  const scores = Float32Array.from(Object.values(written));
  const all = { labels: Object.keys(written), scores, logits: scores };
  return { kind: "labels", labels: [], abstained: true, all };
}
