import type { Clock } from "../ports/clock.ts";

interface Entry {
  readonly deadlineMs: number;
  readonly onExpire: () => void;
}

/**
 * Calls back when deadlines pass, with one timer for all of them: a timer per request would cost more than a cheap
 * model's whole run, and nearly every deadline is removed long before it comes due.
 */
export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #entries = new Set<Entry>();
  #armedForMs = Number.POSITIVE_INFINITY;
  #disarm: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `onExpire` once at `deadlineMs` (Clock time) or soon after, unless the returned function is called first. */
  watch(deadlineMs: number, onExpire: () => void): () => void {
    const entry = { deadlineMs, onExpire };
    this.#entries.add(entry);
    if (deadlineMs < this.#armedForMs) this.#arm(deadlineMs);
    return () => this.#entries.delete(entry);
  }

  #arm(deadlineMs: number): void {
    this.#disarm();
    this.#armedForMs = deadlineMs;
    const delayMs = Math.max(0, deadlineMs - this.#clock.nowMs());
    this.#disarm = this.#clock.setTimer(delayMs, () => this.#expireDue());
  }

  #expireDue(): void {
    const nowMs = this.#clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    const due: Entry[] = [];
    for (const entry of this.#entries) {
      if (entry.deadlineMs <= nowMs) due.push(entry);
      else nextMs = Math.min(nextMs, entry.deadlineMs);
    }
    this.#armedForMs = Number.POSITIVE_INFINITY;
    if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs);
    for (const entry of due) {
      this.#entries.delete(entry);
      entry.onExpire();
    }
  }
}
