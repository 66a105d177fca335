import { SluiceError } from "../errors.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ticket } from "./batcher.ts";
import { DeadlineWatch } from "./deadline-watch.ts";

/** What a caller gets for joining: the shared answer, or its own reason for leaving early. */
export interface Joined<Answer> {
  readonly answer: Promise<Answer>;
  /** True when the same question was already on its way. */
  readonly coalesced: boolean;
}

/**
 * One run per question: callers that ask what is already being computed wait for that run.
 *
 * Each caller keeps its own deadline and may leave on its own; the run is called off only when the last one has left.
 * A failure reaches everybody who waits and is then forgotten: the next caller starts afresh.
 */
export class Coalescer<Answer> {
  readonly #flights = new Map<string, Flight<Answer>>();
  readonly #deadlines: DeadlineWatch;

  constructor(clock: Clock) {
    this.#deadlines = new DeadlineWatch(clock);
  }

  /** Questions being computed. */
  get size(): number {
    return this.#flights.size;
  }

  /**
   * Waits for the answer to the question `key`.
   *
   * @param launch starts the run when nobody asks this yet; its ticket lives as long as anybody waits
   * @returns a promise that rejects with what `launch` rejected with, or with SluiceError `deadline_exceeded` or
   * `cancelled` for this caller alone
   */
  join(key: string, ticket: Ticket, launch: (shared: Ticket) => Promise<Answer>): Joined<Answer> {
    const existing = this.#flights.get(key);
    if (existing !== undefined) {
      return { answer: existing.board(ticket, this.#deadlines), coalesced: true };
    }
    const flight: Flight<Answer> = new Flight(ticket.deadlineMs, () => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    this.#flights.set(key, flight);
    const answer = flight.board(ticket, this.#deadlines);
    flight.follow(launch(flight));
    return { answer, coalesced: false };
  }
}

interface Passenger<Answer> {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  unwatch: () => void;
  unsubscribe: () => void;
}

/** One run and the callers that wait for it. Is itself the ticket and the cancellation that the run sees. */
class Flight<Answer> implements Ticket, Cancellation {
  deadlineMs: number;
  cancelled = false;
  readonly cancellation: Cancellation = this;
  readonly #passengers = new Set<Passenger<Answer>>();
  readonly #onOver: () => void;
  #cancelRun: () => void = () => {};

  constructor(deadlineMs: number, onOver: () => void) {
    this.deadlineMs = deadlineMs;
    this.#onOver = onOver;
  }

  onCancel(listener: () => void): () => void {
    this.#cancelRun = listener;
    return () => {
      this.#cancelRun = () => {};
    };
  }

  board(ticket: Ticket, deadlines: DeadlineWatch): Promise<Answer> {
    this.deadlineMs = Math.max(this.deadlineMs, ticket.deadlineMs);
    return new Promise((resolve, reject) => {
      const passenger: Passenger<Answer> = {
        resolve,
        reject,
        unwatch: () => {},
        unsubscribe: () => {},
      };
      this.#passengers.add(passenger);
      passenger.unwatch = deadlines.watch(ticket.deadlineMs, () =>
        this.#leave(passenger, "deadline_exceeded", "The answer did not come before the deadline."),
      );
      const onCancel = () =>
        this.#leave(passenger, "cancelled", "The caller went away before the answer came.");
      passenger.unsubscribe = ticket.cancellation.onCancel(onCancel);
      if (ticket.cancellation.cancelled) onCancel();
    });
  }

  follow(run: Promise<Answer>): void {
    run.then(
      (answer) => this.#land((passenger) => passenger.resolve(answer)),
      (error: unknown) => this.#land((passenger) => passenger.reject(error)),
    );
  }

  #land(tell: (passenger: Passenger<Answer>) => void): void {
    this.#onOver();
    for (const passenger of this.#passengers) {
      this.#release(passenger);
      tell(passenger);
    }
  }

  #leave(
    passenger: Passenger<Answer>,
    code: "deadline_exceeded" | "cancelled",
    message: string,
  ): void {
    if (!this.#passengers.has(passenger)) return;
    this.#release(passenger);
    passenger.reject(new SluiceError(code, message));
    if (this.#passengers.size > 0) return;
    this.cancelled = true;
    this.#onOver();
    this.#cancelRun();
  }

  #release(passenger: Passenger<Answer>): void {
    this.#passengers.delete(passenger);
    passenger.unwatch();
    passenger.unsubscribe();
  }
}
