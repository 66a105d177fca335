import { SluiceError } from "../errors.ts";
import type { AdmissionLimits } from "../inference/admission.ts";
import { decideAdmission } from "../inference/admission.ts";
import type { BulkLimits } from "../inference/batcher.ts";
import { DeadlineWatch } from "../inference/deadline-watch.ts";
import { DrainRate } from "../inference/drain-rate.ts";
import type { FairLine } from "../inference/fair-line.ts";
import type { Lane } from "../inference/lanes.ts";
import { Lanes } from "../inference/lanes.ts";
import { OfferedRate } from "../inference/offered-rate.ts";
import type { Clock } from "../ports/clock.ts";
import type { VersionObserver } from "../ports/inference-observer.ts";
import type { TensorBackend } from "../ports/tensor-backend.ts";
import { runMembers } from "./run-members.ts";
import type { TensorOutcome, TensorSubmission } from "./tensor-member.ts";
import { TensorMember } from "./tensor-member.ts";

export interface TensorQueueOptions {
  readonly backend: TensorBackend;
  readonly clock: Clock;
  readonly limits: AdmissionLimits & BulkLimits;
  /** Most rows in a run of several requests; 1 = every request runs alone. */
  readonly maxJoinedRows: number;
  readonly observer: VersionObserver;
}

/** Shortest time over which it is judged whether more is asked for than gets done. */
const MIN_OFFERED_SPAN_MS = 1000;
/**
 * A flight counts as at least this long when it is judged how long work may wait under overload. The rate is measured
 * over some twenty runs; where these take a fraction of a millisecond, it jumps, and that alone must refuse nobody.
 */
const MIN_FLIGHT_MS = 25;
/** How many waiting requests are looked at for some to join. */
const JOIN_WINDOW = 256;

/**
 * Gives the requests of one tensor model to its backend. It alone owns the queue.
 *
 * Promises: every request is answered exactly once, with the outputs of its own rows; a cancelled or expired one never
 * reaches the backend; callers share a busy model by weight; bulk work never makes online work wait for more than a
 * run. With `maxJoinedRows` above 1, requests whose rows are alike share a run; one that fails is then run again
 * request by request, so that only those fail that fail alone.
 *
 * Who may wait is decided as for texts (`core/inference/admission.ts`), with rows in the place of ids.
 */
export class TensorQueue {
  readonly #options: TensorQueueOptions;
  readonly #lanes: Lanes<TensorMember>;
  readonly #deadlines: DeadlineWatch;
  readonly #rate = new DrainRate();
  readonly #offered: OfferedRate;
  /** Rows per millisecond, as far as the time of one run tells. */
  readonly #predictedRowsPerMs: number;
  #busySlots = 0;
  #runningRows = 0;
  #pumpScheduled = false;
  #outstanding = 0;
  #closed = false;
  #whenEmpty: (() => void)[] = [];

  constructor(options: TensorQueueOptions) {
    const { backend, clock, limits } = options;
    const { measuredRunMs = 0, parallelRuns } = backend;
    this.#options = options;
    this.#lanes = new Lanes(parallelRuns, limits.bulkShare);
    this.#deadlines = new DeadlineWatch(clock);
    this.#offered = new OfferedRate(Math.max(MIN_OFFERED_SPAN_MS, limits.maxQueueWaitMs));
    this.#predictedRowsPerMs =
      measuredRunMs > 0 ? parallelRuns / measuredRunMs : Number.POSITIVE_INFINITY;
  }

  /** Requests waiting for a slot. */
  get queuedItems(): number {
    return this.#lanes.size;
  }

  /**
   * Answers one request, whose inputs and outputs fit the backend's signature.
   *
   * @throws SluiceError `overloaded` with `retryAfterMs` when it may not wait; `unavailable` after `drain`;
   * `deadline_exceeded`, `cancelled`, `model_failed`, or `unavailable` when the backend lost its workers
   */
  async submit(submission: TensorSubmission): Promise<TensorOutcome> {
    if (this.#closed) {
      throw new SluiceError("unavailable", "This model version is being unloaded.");
    }
    const { clock, maxJoinedRows } = this.#options;
    const settle = (settled: TensorMember) => this.#onSettled(settled);
    const member = new TensorMember(submission, maxJoinedRows > 1, clock.nowMs(), settle);
    this.#outstanding++;
    if (submission.ticket.cancellation.cancelled) member.cancel();
    else if (this.#admit(member)) {
      this.#deadlines.add(member);
      this.#lanes[member.lane].push(member);
      this.#schedulePump();
    }
    return member.outcome;
  }

  /** Refuses new work and resolves when every accepted request is answered. */
  async drain(): Promise<void> {
    this.#closed = true;
    if (this.#outstanding === 0) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  /** Fails `member` and says false when there is no room for it. */
  #admit(member: TensorMember): boolean {
    const { limits, backend, maxJoinedRows } = this.#options;
    const { lane, flow, tokens, enqueuedMs: nowMs } = member;
    // What is asked for counts, whether it is let in or not.
    if (lane === "online") {
      this.#offered.add(tokens, nowMs);
      this.#lanes.cameOnline(nowMs);
    }
    const line = this.#lanes[lane];
    const rowsPerMs = this.#rate.tokensPerMs ?? this.#predictedRowsPerMs;
    const fullFlightRows = Math.max(this.#runningRows, backend.slots * maxJoinedRows);
    const minFlightRows = Number.isFinite(rowsPerMs) ? rowsPerMs * MIN_FLIGHT_MS : 0;
    const decision = decideAdmission(
      {
        queuedItems: line.size,
        queuedTokens: line.tokens,
        flowTokens: line.tokensOf(flow),
        flowShare: line.shareOf(flow),
        runningTokens: this.#runningRows,
        newItems: 1,
        newTokens: tokens,
        tokensPerMs: rowsPerMs,
        offeredTokensPerMs: this.#offered.tokensPerMs(nowMs),
        fullFlightTokens: Math.max(fullFlightRows, minFlightRows),
        remainingMs: member.deadlineMs - nowMs,
      },
      // Whoever sends bulk work has said that it may take long.
      lane === "online"
        ? limits
        : { maxQueueItems: limits.maxBulkItems, maxQueueWaitMs: Number.POSITIVE_INFINITY },
    );
    if (decision.admitted) return true;
    const message = "The model has more work than it can finish in time.";
    member.fail(new SluiceError("overloaded", message, { retryAfterMs: decision.retryAfterMs }));
    return false;
  }

  /** Requests that arrive in the same event-loop turn may meet in one run, because the pump runs after all of them. */
  #schedulePump(): void {
    if (this.#pumpScheduled || this.#busySlots >= this.#options.backend.slots) return;
    this.#pumpScheduled = true;
    this.#options.clock.defer(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /** The one place where runs start. */
  #pump(): void {
    while (this.#busySlots < this.#options.backend.slots) {
      const lane = this.#lanes.next(this.#options.clock.nowMs());
      if (lane === undefined) return;
      const line = this.#lanes[lane];
      const members = chooseMembers(line, this.#options.maxJoinedRows);
      line.serve(members);
      const nowMs = this.#options.clock.nowMs();
      const due = members.filter((member) => member.deadlineMs > nowMs);
      for (const member of members) if (!due.includes(member)) member.expire();
      const [first, ...others] = due;
      if (first !== undefined) this.#start(lane, [first, ...others], nowMs);
    }
  }

  #start(lane: Lane, members: readonly [TensorMember, ...TensorMember[]], startedMs: number): void {
    if (this.#busySlots === 0) this.#rate.started(startedMs);
    const rows = members.reduce((sum, { tokens }) => sum + tokens, 0);
    this.#busySlots++;
    this.#runningRows += rows;
    this.#lanes.started(lane, rows);
    const { backend, clock, observer } = this.#options;
    const running = runMembers(members, startedMs, {
      backend,
      clock,
      onRun: (observation, rowsRun, endedMs) => {
        this.#rate.finished(rowsRun, endedMs);
        observer.batchFinished(observation);
      },
    });
    // `runMembers` answers its members itself and never rejects.
    void running.then(() => {
      this.#busySlots--;
      this.#runningRows -= rows;
      this.#lanes.ended(lane);
      this.#pump();
    });
  }

  #onSettled(member: TensorMember): void {
    this.#deadlines.remove(member);
    this.#lanes[member.lane].remove(member);
    this.#outstanding--;
    if (this.#outstanding > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}

/** The request whose turn it is, and those that may share its run, in the order of their turn. */
function chooseMembers(line: FairLine<TensorMember>, maxRows: number): readonly TensorMember[] {
  const { next } = line;
  if (next === undefined) return [];
  if (next.joinKey === undefined || line.size === 1) return [next];
  const members: TensorMember[] = [];
  let rows = 0;
  for (const member of line.candidates(JOIN_WINDOW, maxRows)) {
    if (member.joinKey !== next.joinKey) continue;
    // What callers ask never runs with what a release asks by itself.
    if (member.isCopy !== next.isCopy) continue;
    if (members.length > 0 && rows + member.tokens > maxRows) continue;
    members.push(member);
    rows += member.tokens;
  }
  return members;
}
