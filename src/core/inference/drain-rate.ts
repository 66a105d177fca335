/** How much a finished batch weighs against all earlier ones together: an average over some twenty batches. */
const DECAY = 0.95;

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
