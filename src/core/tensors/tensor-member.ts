import { SluiceError } from "../errors.ts";
import type { Expiring } from "../inference/deadline-watch.ts";
import type { Flow, LineEntry } from "../inference/fair-line.ts";
import type { Lane } from "../inference/lanes.ts";
import type { Ticket } from "../inference/member.ts";
import type { Tensor } from "../ports/tensor.ts";
import type { TensorQuestion } from "./join-rows.ts";
import { countRows, toJoinKey } from "./join-rows.ts";

/** One request that wants to run. */
export interface TensorSubmission extends TensorQuestion {
  readonly ticket: Ticket;
  readonly flow: Flow;
  readonly lane: Lane;
  /** Nobody gets the answer. */
  readonly isCopy?: boolean;
}

export interface TensorOutcome {
  /** In the order in which they were asked for. */
  readonly outputs: readonly Tensor[];
  readonly queueMs: number;
  readonly runMs: number;
}

/** A submission from its arrival until it is answered. `settled` makes "exactly once" a fact. */
export class TensorMember implements LineEntry, Expiring {
  readonly question: TensorQuestion;
  readonly flow: Flow;
  readonly lane: Lane;
  readonly isCopy: boolean;
  /** The unit of work in the lines: rows, at least one. */
  readonly tokens: number;
  /** Set when the request may share a run with others of the same key. */
  readonly joinKey: string | undefined;
  readonly enqueuedMs: number;
  readonly deadlineMs: number;
  startTag = 0;
  isWaiting = false;
  settled = false;
  readonly outcome: Promise<TensorOutcome>;
  readonly #onSettled: (member: TensorMember) => void;
  readonly #resolve: (outcome: TensorOutcome) => void;
  readonly #reject: (error: SluiceError) => void;
  #unsubscribe: () => void = () => {};

  /** @param joins whether requests of this model may share runs at all */
  constructor(
    submission: TensorSubmission,
    joins: boolean,
    enqueuedMs: number,
    onSettled: (member: TensorMember) => void,
  ) {
    const { inputs, outputs, ticket, flow, lane, isCopy = false } = submission;
    this.question = { inputs, outputs };
    this.flow = flow;
    this.lane = lane;
    this.isCopy = isCopy;
    this.tokens = Math.max(1, countRows(this.question) ?? 1);
    this.joinKey = joins ? toJoinKey(this.question) : undefined;
    this.enqueuedMs = enqueuedMs;
    this.deadlineMs = ticket.deadlineMs;
    this.#onSettled = onSettled;
    const { promise, resolve, reject } = Promise.withResolvers<TensorOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#unsubscribe = ticket.cancellation.onCancel(() => this.cancel());
  }

  succeed(outcome: TensorOutcome): void {
    if (this.#settle()) this.#resolve(outcome);
  }

  fail(error: SluiceError): void {
    if (this.#settle()) this.#reject(error);
  }

  expire(): void {
    const message = "The answer did not come before the deadline.";
    this.fail(new SluiceError("deadline_exceeded", message));
  }

  cancel(): void {
    this.fail(new SluiceError("cancelled", "The caller went away before the answer came."));
  }

  /** False when it was answered before. */
  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#unsubscribe();
    this.#onSettled(this);
    return true;
  }
}
