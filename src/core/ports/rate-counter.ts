/** Where a caller stands in the current window. */
export interface RateCount {
  /** Requests counted in this window, this one included. */
  readonly count: number;
  /** Milliseconds until the window ends and the count starts again at zero; > 0. */
  readonly resetMs: number;
}

/**
 * Counts requests per key in fixed windows that start with a key's first request.
 *
 * Concurrency: increments are atomic, also across processes where the driver is shared by several.
 * Errors: a driver may reject; the caller decides whether to let the request through.
 */
export interface RateCounter {
  readonly description: string;
  hit(key: string, windowMs: number): RateCount | Promise<RateCount>;
  /** Idempotent. */
  close(): Promise<void>;
}
