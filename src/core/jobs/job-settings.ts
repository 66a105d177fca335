/** Bounds of jobs. Defaults and meanings: `jobs` in the configuration reference. */
export interface JobLimits {
  readonly maxRows: number;
  /** A chunk ends at so many rows, or when its rows fill `CHUNK_CHARACTERS`. */
  readonly chunkRows: number;
  /** How long the rows of a job may take to come in. */
  readonly receiveTimeoutMs: number;
  /** How long a job may take in all, from its submission. */
  readonly maxAgeMs: number;
  /** How long a finished job is kept. */
  readonly retentionMs: number;
  /** How often a chunk is tried before its rows get the error that kept them from being answered. */
  readonly maxAttempts: number;
}

/** Rows of a chunk together, in UTF-16 units: bounds the memory of a worker and of a store's transaction. */
export const CHUNK_CHARACTERS = 1024 * 1024;
