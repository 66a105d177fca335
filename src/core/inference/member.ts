import type { SluiceError } from "../errors.ts";
import type { TextReading } from "../ports/backend.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { EncodedText } from "../ports/tokenizer.ts";
import type { Flow, LineEntry } from "./fair-line.ts";
import type { Lane } from "./lanes.ts";

/** Until when somebody wants an answer. */
export interface Ticket {
  /** Clock time after which the text must not reach the backend. Its owner may raise it while the text waits. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
}

/** One text that wants to run. */
export interface BatchSubmission {
  readonly encoded: EncodedText;
  readonly ticket: Ticket;
  readonly flow: Flow;
  readonly lane: Lane;
  /** A copy that no caller waits for. */
  readonly isCopy?: boolean;
}

export interface BatchOutcome {
  /** Raw model outputs of this text. */
  readonly row: Float32Array;
  /** Where the text was cut elsewhere. */
  readonly reading?: TextReading | undefined;
  readonly queueMs: number;
  readonly runMs: number;
}

/** A submission from its arrival until it is answered. `settled` makes "exactly once" a fact. */
export class Member implements LineEntry {
  readonly encoded: EncodedText;
  readonly ticket: Ticket;
  readonly flow: Flow;
  readonly lane: Lane;
  readonly isCopy: boolean;
  readonly tokens: number;
  readonly enqueuedMs: number;
  startTag = 0;
  isWaiting = false;
  settled = false;
  readonly outcome: Promise<BatchOutcome>;
  readonly #resolve: (outcome: BatchOutcome) => void;
  readonly #reject: (error: SluiceError) => void;
  readonly #onSettled: () => void;
  #unsubscribe: () => void = () => {};

  constructor(submission: BatchSubmission, enqueuedMs: number, onSettled: () => void) {
    this.encoded = submission.encoded;
    this.ticket = submission.ticket;
    this.flow = submission.flow;
    this.lane = submission.lane;
    this.isCopy = submission.isCopy ?? false;
    this.tokens = submission.encoded.ids.length;
    this.enqueuedMs = enqueuedMs;
    this.#onSettled = onSettled;
    const { promise, resolve, reject } = Promise.withResolvers<BatchOutcome>();
    this.outcome = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  isExpired(nowMs: number): boolean {
    return this.ticket.deadlineMs <= nowMs;
  }

  /** Calls back once when the caller goes away before the answer. */
  watchCancellation(onCancel: () => void): void {
    const { cancellation } = this.ticket;
    this.#unsubscribe = cancellation.onCancel(onCancel);
    if (cancellation.cancelled) onCancel();
  }

  succeed(outcome: BatchOutcome): void {
    if (this.#settle()) this.#resolve(outcome);
  }

  fail(error: SluiceError): void {
    if (this.#settle()) this.#reject(error);
  }

  /** False when it was answered before. */
  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.#unsubscribe();
    this.#onSettled();
    return true;
  }
}

/** Ids of all members together, without padding. */
export function countTokens(members: readonly Member[]): number {
  let tokens = 0;
  for (const member of members) tokens += member.tokens;
  return tokens;
}
