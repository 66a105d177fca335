/** Time, as the core sees it. The only source of time and of "later" in `core/`. */
export interface Clock {
  /** Monotonic milliseconds with sub-millisecond resolution. Only differences mean anything. */
  nowMs(): number;
  /** Milliseconds since the Unix epoch, for timestamps that people read. */
  epochMs(): number;
  /** Calls `callback` once after `delayMs` (≥ 0). Returns a function that takes it back. Never keeps the process alive. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /**
   * Calls `callback` once everything that is already ready to run has run: after the sockets of the current
   * event-loop turn were read. What arrives in the same turn is therefore gathered before `callback` runs.
   */
  defer(callback: () => void): void;
}
