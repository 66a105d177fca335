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
