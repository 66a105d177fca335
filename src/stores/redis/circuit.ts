import type { SluiceError } from "../../core/errors.ts";

export interface CircuitOptions {
  /** A call that takes longer counts as failed; milliseconds. */
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** What a failed call says to people, e.g. `The Redis server of cache.store.url is full; …`. */
  readonly describe: (thrown: unknown) => SluiceError;
  /** Hears once why the other side is passed over, and with `undefined` that it is asked again. */
  readonly changed: (problem: string | undefined) => void;
  /** Hears that a trial after a pause got no answer in time. */
  readonly unanswered: () => void;
}

/** Failures in a row after which calls are refused at once. */
const FAILURES_TO_OPEN = 3;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5000;

/**
 * Keeps a server that is slow or away from slowing its callers down: after three failures in a row calls fail at once, and
 * one at a time tries, after pauses from 250 ms to 5 s, whether it is back. (The pattern is M. Nygard's circuit breaker,
 * Release It!, 2007.)
 */
export class Circuit {
  readonly #options: CircuitOptions;
  #failures = 0;
  #problem: SluiceError | undefined;
  #pauseMs = FIRST_PAUSE_MS;
  #triesAtMs = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  /** Whether calls are refused. */
  get isOpen(): boolean {
    return this.#problem !== undefined;
  }

  /** @throws SluiceError `unavailable` when the call fails, takes too long, or is not made at all */
  async run<T>(call: () => Promise<T>): Promise<T> {
    const { nowMs } = this.#options;
    if (this.#problem !== undefined) {
      if (nowMs() < this.#triesAtMs) throw this.#problem;
      // Whoever comes meanwhile is refused until this one knows more.
      this.#triesAtMs = Number.POSITIVE_INFINITY;
    }
    try {
      const result = await this.#withinTime(call());
      this.#succeeded();
      return result;
    } catch (thrown) {
      throw this.#failed(thrown);
    }
  }

  async #withinTime<T>(answer: Promise<T>): Promise<T> {
    const { timeoutMs } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new TooSlowError(timeoutMs)), timeoutMs);
    try {
      return await Promise.race([answer, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  #succeeded(): void {
    this.#failures = 0;
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#options.changed(undefined);
  }

  #failed(thrown: unknown): SluiceError {
    const { describe, changed, unanswered, nowMs } = this.#options;
    const error = describe(thrown);
    if (this.#problem !== undefined) {
      this.#problem = error;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
      this.#triesAtMs = nowMs() + this.#pauseMs;
      if (thrown instanceof TooSlowError) unanswered();
      return error;
    }
    this.#failures++;
    if (this.#failures < FAILURES_TO_OPEN) return error;
    this.#problem = error;
    this.#triesAtMs = nowMs() + this.#pauseMs;
    changed(error.message);
    return error;
  }
}

/** The other side took too long; whether it did what it was asked is not known. */
export class TooSlowError extends Error {
  constructor(timeoutMs: number) {
    super(`no answer in ${timeoutMs} ms`);
    this.name = "TooSlowError";
  }
}
