import { SluiceError } from "../../core/errors.ts";
import type { Cancellation } from "../../core/ports/cancellation.ts";
import { SOURCE_FIELD } from "./source-address.ts";

export interface PatienceOptions {
  /** How long the other side may be silent while something is awaited from it. */
  readonly timeoutMs: number;
  /** How long all of it may take. */
  readonly maxMs: number;
}

/**
 * Decides when to wait no longer for another server: it is silent for too long, all of it takes too long, or the caller has
 * gone away. `signal` is aborted then, with a SluiceError as its reason.
 */
export class Patience {
  readonly #timeoutMs: number;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #forget: () => void;

  constructor({ timeoutMs, maxMs }: PatienceOptions, cancellation: Cancellation) {
    this.#timeoutMs = timeoutMs;
    const takesTooLong = `did not send everything in ${maxMs} ms (jobs.receiveTimeoutMs)`;
    this.#timer = setTimeout(() => this.#giveUp(takesTooLong), maxMs);
    const leave = () => {
      const message = "The client went away before all rows were there.";
      this.#abort.abort(new SluiceError("cancelled", message));
    };
    this.#forget = cancellation.onCancel(leave);
    if (cancellation.cancelled) leave();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /**
   * Waits for something that the other side sends. Only such waits count as its silence: while rows are stored it is kept
   * from sending.
   */
  async wait<Value>(coming: Promise<Value>): Promise<Value> {
    const isSilent = `was silent for ${this.#timeoutMs} ms (jobs.sources.timeoutMs)`;
    const timer = setTimeout(() => this.#giveUp(isSilent), this.#timeoutMs);
    try {
      return await coming;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Nothing more is awaited. Idempotent. */
  end(): void {
    clearTimeout(this.#timer);
    this.#forget();
  }

  #giveUp(problem: string): void {
    const details = [{ field: SOURCE_FIELD, problem }];
    const message = `${SOURCE_FIELD} ${problem}.`;
    this.#abort.abort(new SluiceError("unavailable", message, { details }));
  }
}
