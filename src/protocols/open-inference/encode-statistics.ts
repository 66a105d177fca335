import type { DurationCount, ModelStatistics } from "../../core/ports/model-statistics.ts";

/**
 * Body of `GET /v2/models/<model>/stats` and `GET /v2/models/stats`.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export function encodeStatistics(models: readonly ModelStatistics[]): string {
  return JSON.stringify({ model_stats: models.map(encodeModel) });
}

function encodeModel(model: ModelStatistics): object {
  return {
    name: model.name,
    version: model.version,
    last_inference: Math.round(model.lastInferenceMs),
    inference_count: model.inferenceCount,
    execution_count: model.executionCount,
    inference_stats: {
      success: encodeDuration(model.success),
      fail: encodeDuration(model.fail),
      queue: encodeDuration(model.queue),
      compute_input: encodeDuration(model.computeInput),
      compute_infer: encodeDuration(model.computeInfer),
      compute_output: encodeDuration(model.computeOutput),
      cache_hit: encodeDuration(model.cacheHit),
      cache_miss: encodeDuration(model.cacheMiss),
    },
    response_stats: {},
    batch_stats: model.batches.map(({ size, infer }) => ({
      batch_size: size,
      // Tensors are made per request, not per run.
      compute_input: { count: 0, ns: 0 },
      compute_infer: encodeDuration(infer),
      compute_output: { count: 0, ns: 0 },
    })),
    memory_usage: [],
  };
}

function encodeDuration({ count, ns }: DurationCount): DurationCount {
  return { count, ns: Math.round(ns) };
}
