import type { RunCost } from "../ports/backend.ts";

/** How much a finished batch weighs against all earlier ones together: an average over some twenty batches. */
const DECAY = 0.95;

/** Ids of the single text that a speed is guessed from before anything has run. */
const TYPICAL_TOKENS = 32;

/** Ids per millisecond that `parallelRuns` runs of single texts would do, as measured when the model was loaded. */
export function predictTokensPerMs(cost: RunCost, parallelRuns: number): number {
  const runMs = cost.fixedMs + cost.perTokenMs * TYPICAL_TOKENS;
  return runMs > 0 ? (parallelRuns * TYPICAL_TOKENS) / runMs : Number.POSITIVE_INFINITY;
}

/**
 * Measures how many ids per millisecond a backend finishes over all its slots, counting only time in which it had
 * work. Both sums decay alike, so a change of speed shows within some twenty batches.
 */
export class DrainRate {
  #tokens = 0;
  #busyMs = 0;
  #lastMs = 0;

  /** The backend was idle and gets work now. */
  started(nowMs: number): void {
    this.#lastMs = nowMs;
  }

  /** A batch of `tokens` ids ended at `nowMs`. */
  finished(tokens: number, nowMs: number): void {
    this.#tokens = this.#tokens * DECAY + tokens;
    this.#busyMs = this.#busyMs * DECAY + (nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** `undefined` until something was measured. */
  get tokensPerMs(): number | undefined {
    return this.#busyMs > 0 ? this.#tokens / this.#busyMs : undefined;
  }
}
