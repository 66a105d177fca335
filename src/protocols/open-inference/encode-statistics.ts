/** How often something happened, and how long it took in all. */
export interface DurationCount {
  readonly count: number;
  /** Nanoseconds; rounded to whole ones. */
  readonly ns: number;
}

/** What one version of a model did since it was loaded. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Unix time of the latest request in milliseconds; 0 = none yet. */
  readonly lastInferenceMs: number;
  /** Rows that were answered. */
  readonly inferenceCount: number;
  /** Runs of the model: fewer than rows where batches were made. */
  readonly executionCount: number;
  /** Requests that were answered, from their arrival to their answer. */
  readonly success: DurationCount;
  readonly fail: DurationCount;
  readonly queue: DurationCount;
  /** Making tensors of what was sent. */
  readonly computeInput: DurationCount;
  readonly computeInfer: DurationCount;
  readonly computeOutput: DurationCount;
  readonly cacheHit: DurationCount;
  readonly cacheMiss: DurationCount;
  /** Runs by how many rows they had. */
  readonly batches: readonly { readonly size: number; readonly infer: DurationCount }[];
}

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
