import { SluiceError } from "../errors.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Clock } from "../ports/clock.ts";
import type { Expiring } from "./deadline-watch.ts";
import { DeadlineWatch } from "./deadline-watch.ts";
import type { Ticket } from "./member.ts";

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

  /** True when the question is being computed: joining it needs no room. */
  has(key: string): boolean {
    return this.#flights.has(key);
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
    let flight = this.#flights.get(key);
    const coalesced = flight !== undefined;
    if (flight === undefined) {
      flight = new Flight(key, ticket.deadlineMs, this.#flights, this.#deadlines);
      this.#flights.set(key, flight);
    }
    const answer = flight.board(ticket);
    if (!coalesced) flight.follow(launch(flight));
    return { answer, coalesced };
  }
}

/** One run and the callers that wait for it. Is itself the ticket and the cancellation that the run sees. */
class Flight<Answer> implements Ticket, Cancellation {
  deadlineMs: number;
  cancelled = false;
  readonly cancellation: Cancellation = this;
  readonly #key: string;
  readonly #flights: Map<string, Flight<Answer>>;
  readonly #deadlines: DeadlineWatch;
  #passengers: Passenger<Answer>[] = [];
  /** One per window of the text. */
  #cancelRun: (() => void)[] = [];

  constructor(
    key: string,
    deadlineMs: number,
    flights: Map<string, Flight<Answer>>,
    deadlines: DeadlineWatch,
  ) {
    this.#key = key;
    this.deadlineMs = deadlineMs;
    this.#flights = flights;
    this.#deadlines = deadlines;
  }

  onCancel(listener: () => void): () => void {
    this.#cancelRun.push(listener);
    return () => {
      const index = this.#cancelRun.indexOf(listener);
      if (index >= 0) this.#cancelRun.splice(index, 1);
    };
  }

  board({ deadlineMs, cancellation }: Ticket): Promise<Answer> {
    this.deadlineMs = Math.max(this.deadlineMs, deadlineMs);
    return new Promise((resolve, reject) => {
      const passenger = new Passenger(this, deadlineMs, resolve, reject);
      this.#passengers.push(passenger);
      this.#deadlines.add(passenger);
      passenger.unsubscribe = cancellation.onCancel(() => passenger.cancel());
      if (cancellation.cancelled) passenger.cancel();
    });
  }

  follow(run: Promise<Answer>): void {
    run.then(
      (answer) => this.#land((passenger) => passenger.resolve(answer)),
      (error: unknown) => this.#land((passenger) => passenger.reject(error)),
    );
  }

  /** Lets one passenger off. The run is called off when it was the last. */
  leave(passenger: Passenger<Answer>, error: SluiceError): void {
    const seat = this.#passengers.indexOf(passenger);
    if (seat < 0) return;
    this.#passengers.splice(seat, 1);
    this.#release(passenger);
    passenger.reject(error);
    if (this.#passengers.length > 0) return;
    this.cancelled = true;
    this.#forget();
    for (const cancel of [...this.#cancelRun]) cancel();
  }

  #land(tell: (passenger: Passenger<Answer>) => void): void {
    this.#forget();
    const passengers = this.#passengers;
    this.#passengers = [];
    for (const passenger of passengers) {
      this.#release(passenger);
      tell(passenger);
    }
  }

  #forget(): void {
    if (this.#flights.get(this.#key) === this) this.#flights.delete(this.#key);
  }

  #release(passenger: Passenger<Answer>): void {
    this.#deadlines.remove(passenger);
    passenger.unsubscribe();
  }
}

/** One caller that waits. */
class Passenger<Answer> implements Expiring {
  readonly deadlineMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
  unsubscribe: () => void = () => {};
  readonly #flight: Flight<Answer>;

  constructor(
    flight: Flight<Answer>,
    deadlineMs: number,
    resolve: (answer: Answer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#flight = flight;
    this.deadlineMs = deadlineMs;
    this.resolve = resolve;
    this.reject = reject;
  }

  expire(): void {
    const message = "The answer did not come before the deadline.";
    this.#flight.leave(this, new SluiceError("deadline_exceeded", message));
  }

  cancel(): void {
    const message = "The caller went away before the answer came.";
    this.#flight.leave(this, new SluiceError("cancelled", message));
  }
}
