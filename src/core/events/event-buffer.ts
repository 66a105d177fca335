import type { Clock } from "../ports/clock.ts";
import type { CloudEvent } from "./cloud-event.ts";

export interface EventBufferOptions {
  /** Events that wait at most; further ones are dropped and counted. */
  readonly capacity: number;
  /** Events that go to `flush` at once, at most. */
  readonly batchEvents: number;
  /** Time that an event waits for others to go with. */
  readonly intervalMs: number;
  readonly clock: Pick<Clock, "setTimer">;
  /** Hands a batch on. When it rejects, the same batch is offered again after `intervalMs`. */
  readonly flush: (events: readonly CloudEvent[]) => Promise<void>;
}

/**
 * Events that are so many that losing some is better than being slower: kept in memory, handed on in batches. `offer` never
 * waits. What is in here when the process dies is lost.
 */
export class EventBuffer {
  readonly #options: EventBufferOptions;
  #waiting: CloudEvent[] = [];
  #dropped = 0;
  #isClosed = false;
  #flight: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;

  constructor(options: EventBufferOptions) {
    this.#options = options;
  }

  /** Events that were dropped since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Events that wait, those of a batch under way included. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Takes an event; false when it was dropped. */
  offer(event: CloudEvent): boolean {
    const { capacity, batchEvents, intervalMs } = this.#options;
    if (this.#isClosed || this.#waiting.length >= capacity) {
      this.#dropped++;
      return false;
    }
    this.#waiting.push(event);
    if (this.#flight !== undefined) return true;
    // Only the event that makes a batch full, so that a destination that fails is not asked again with every further one.
    if (this.#waiting.length === batchEvents) this.#schedule(0);
    else if (this.#cancelTimer === undefined) this.#schedule(intervalMs);
    return true;
  }

  /** Takes nothing more and hands on what waits; what is refused then is dropped and counted. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#flight;
    while (this.#waiting.length > 0) {
      if (await this.#flushOnce()) continue;
      this.#dropped += this.#waiting.length;
      this.#waiting = [];
    }
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.setTimer(delayMs, () => {
      this.#cancelTimer = undefined;
      this.#flight ??= this.#flushAll().finally(() => {
        this.#flight = undefined;
        if (this.#waiting.length > 0 && !this.#isClosed) this.#schedule(this.#options.intervalMs);
      });
    });
  }

  async #flushAll(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#isClosed) {
      if (!(await this.#flushOnce())) return;
    }
  }

  async #flushOnce(): Promise<boolean> {
    const batch = this.#waiting.slice(0, this.#options.batchEvents);
    try {
      await this.#options.flush(batch);
    } catch {
      return false;
    }
    this.#waiting.splice(0, batch.length);
    return true;
  }
}
