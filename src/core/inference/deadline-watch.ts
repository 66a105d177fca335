import type { Clock } from "../ports/clock.ts";

/** Something that must not outlast a point in time. */
export interface Expiring {
  /** Clock time. */
  readonly deadlineMs: number;
  /** Called once, at the deadline or soon after, unless it was removed before. */
  expire(): void;
}

/**
 * Calls back when deadlines pass, with one timer for all of them: a timer per request would cost more than a cheap
 * model's whole run, and nearly every deadline is removed long before it comes due.
 */
export class DeadlineWatch {
  readonly #clock: Clock;
  readonly #watched = new Set<Expiring>();
  #armedForMs = Number.POSITIVE_INFINITY;
  #disarm: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(expiring: Expiring): void {
    this.#watched.add(expiring);
    if (expiring.deadlineMs < this.#armedForMs) this.#arm(expiring.deadlineMs);
  }

  remove(expiring: Expiring): void {
    this.#watched.delete(expiring);
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
    const due: Expiring[] = [];
    for (const expiring of this.#watched) {
      if (expiring.deadlineMs <= nowMs) due.push(expiring);
      else nextMs = Math.min(nextMs, expiring.deadlineMs);
    }
    this.#armedForMs = Number.POSITIVE_INFINITY;
    if (nextMs !== Number.POSITIVE_INFINITY) this.#arm(nextMs);
    for (const expiring of due) {
      if (this.#watched.delete(expiring)) expiring.expire();
    }
  }
}
