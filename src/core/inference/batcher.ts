import { SluiceError } from "../errors.ts";
import type { Backend, RunCost } from "../ports/backend.ts";
import type { Clock } from "../ports/clock.ts";
import type { VersionObserver } from "../ports/inference-observer.ts";
import type { AdmissionLimits } from "./admission.ts";
import { decideAdmission } from "./admission.ts";
import type { BatchCost, BatchLimits } from "./batch-policy.ts";
import { decideBatch, SORT_WINDOW, toEfficientTokens } from "./batch-policy.ts";
import { DrainRate, predictTokensPerMs } from "./drain-rate.ts";
import type { FairLine, Flow } from "./fair-line.ts";
import type { Lane } from "./lanes.ts";
import { Lanes } from "./lanes.ts";
import type { BatchOutcome, BatchSubmission } from "./member.ts";
import { countTokens, Member } from "./member.ts";
import { OfferedRate } from "./offered-rate.ts";
import { expiredError, runBatch } from "./run-batch.ts";

/** Limits of the bulk lane. Defaults and meanings: `batching` in the configuration reference. */
export interface BulkLimits {
  readonly maxBulkItems: number;
  /** Part of the work that bulk texts get while online ones wait; 0 ≤ share < 1. */
  readonly bulkShare: number;
}

export interface BatcherOptions {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly limits: BatchLimits & AdmissionLimits & BulkLimits;
  readonly observer: VersionObserver;
}

/** Work that asks to be let in. */
export interface Newcomers {
  readonly items: number;
  readonly tokens: number;
  readonly deadlineMs: number;
  readonly flow: Flow;
  readonly lane: Lane;
}

/** Shortest time over which it is judged whether more is asked for than gets done. */
const MIN_OFFERED_SPAN_MS = 1000;

/** A text may be served this many efficient runs before its flow's turn when it fits the batch at hand. */
const FAIRNESS_HORIZON_RUNS = 2;

/** What follows from the measured cost of a run. */
interface DerivedFromCost {
  readonly measured: RunCost;
  readonly cost: BatchCost;
  /** Ids per millisecond over all workers, before there are runs to tell. */
  readonly tokensPerMs: number;
  /** Ids in efficient runs on all slots. */
  readonly fullFlightTokens: number;
  /** By so many ids a text may be served before its flow's turn. */
  readonly horizonTokens: number;
}

function deriveFromCost(backend: Backend, limits: BatchLimits): DerivedFromCost {
  const { cost: measured, pads, slots, parallelRuns } = backend;
  const efficientTokens = toEfficientTokens(measured);
  return {
    measured,
    cost: { ...measured, pads },
    tokensPerMs: predictTokensPerMs(measured, parallelRuns),
    fullFlightTokens: slots * Math.min(efficientTokens, limits.maxBatchTokens),
    horizonTokens: FAIRNESS_HORIZON_RUNS * efficientTokens,
  };
}

/**
 * Gathers texts into batches for one model version. It alone owns the queue.
 *
 * Promises: every submission is answered exactly once, with its own row; no batch exceeds its limits; a cancelled or
 * expired text never reaches the backend; when a batch fails its members run one by one, so that only those fail that
 * fail alone; under load every flow gets its share; bulk work never makes online work wait for more than a run.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #derived: DerivedFromCost;
  readonly #lanes: Lanes<Member>;
  readonly #rate = new DrainRate();
  readonly #offered: OfferedRate;
  #busySlots = 0;
  #runningTokens = 0;
  #pumpScheduled = false;
  #cancelTimer: (() => void) | undefined;
  #outstanding = 0;
  #closed = false;
  #whenEmpty: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    const { backend, limits } = options;
    this.#options = options;
    this.#derived = deriveFromCost(backend, limits);
    this.#lanes = new Lanes(backend.parallelRuns, limits.bulkShare);
    // A burst that can be done within the allowed wait must not look like overload.
    this.#offered = new OfferedRate(Math.max(MIN_OFFERED_SPAN_MS, limits.maxQueueWaitMs));
  }

  /** Texts waiting for a slot. */
  get queuedItems(): number {
    return this.#lanes.size;
  }

  /** Texts accepted and not yet answered. */
  get outstandingItems(): number {
    return this.#outstanding;
  }

  /**
   * Checks that work may join the queue now. Whoever passes submits in the same turn of the event loop.
   *
   * @throws SluiceError `overloaded` with `retryAfterMs` from the measured drain rate; `unavailable` after `drain`.
   */
  assertAdmits({ items, tokens, deadlineMs, flow, lane }: Newcomers): void {
    this.#assertOpen();
    const { limits, clock } = this.#options;
    const nowMs = clock.nowMs();
    // What is asked for counts, whether it is let in or not.
    if (lane === "online") this.#offered.add(tokens, nowMs);
    const line = this.#lanes[lane];
    const decision = decideAdmission(
      {
        queuedItems: line.size,
        queuedTokens: line.tokens,
        flowTokens: line.tokensOf(flow),
        flowShare: line.shareOf(flow),
        runningTokens: this.#runningTokens,
        newItems: items,
        newTokens: tokens,
        tokensPerMs: this.#tokensPerMs,
        offeredTokensPerMs: this.#offered.tokensPerMs(nowMs),
        fullFlightTokens: this.#fromCost.fullFlightTokens,
        remainingMs: deadlineMs - nowMs,
      },
      // Whoever sends bulk work has said that it may take long.
      lane === "online"
        ? limits
        : { maxQueueItems: limits.maxBulkItems, maxQueueWaitMs: Number.POSITIVE_INFINITY },
    );
    if (!decision.admitted) {
      throw new SluiceError("overloaded", "The model has more work than it can finish in time.", {
        retryAfterMs: decision.retryAfterMs,
      });
    }
  }

  /**
   * Queues one text for which `assertAdmits` has found room.
   *
   * @returns its outcome, or a rejection with SluiceError `unavailable`, `cancelled`, `deadline_exceeded` or
   * `model_failed`.
   */
  async submit(submission: BatchSubmission): Promise<BatchOutcome> {
    this.#assertOpen();
    const { lane } = submission;
    const nowMs = this.#options.clock.nowMs();
    if (lane === "online") this.#lanes.cameOnline(nowMs);
    const member = new Member(submission, nowMs, () => this.#onSettled());
    this.#outstanding++;
    this.#lanes[lane].push(member);
    member.watchCancellation(() => this.#cancel(member));
    this.#schedulePump();
    return member.outcome;
  }

  /** Refuses new work and resolves when every accepted text is answered. */
  async drain(): Promise<void> {
    this.#closed = true;
    if (this.#outstanding === 0) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
  }

  #assertOpen(): void {
    if (!this.#closed) return;
    throw new SluiceError("unavailable", "This model version is being unloaded.");
  }

  get #tokensPerMs(): number {
    return this.#rate.tokensPerMs ?? this.#fromCost.tokensPerMs;
  }

  get #fromCost(): DerivedFromCost {
    const { backend, limits } = this.#options;
    if (this.#derived.measured !== backend.cost) this.#derived = deriveFromCost(backend, limits);
    return this.#derived;
  }

  /** Texts that arrive in the same event-loop turn meet in one batch, because the pump runs after all of them. */
  #schedulePump(): void {
    if (this.#pumpScheduled || this.#busySlots >= this.#options.backend.slots) return;
    this.#pumpScheduled = true;
    this.#options.clock.defer(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /** The one place where batches start. */
  #pump(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (this.#busySlots < this.#options.backend.slots) {
      const nowMs = this.#options.clock.nowMs();
      this.#dropExpired(nowMs);
      const lane = this.#lanes.next(nowMs);
      if (lane === undefined) return;
      const members = this.#choose(this.#lanes[lane], nowMs);
      if (members === undefined) return;
      this.#start(lane, members, nowMs);
    }
  }

  #dropExpired(nowMs: number): void {
    for (const lane of [this.#lanes.online, this.#lanes.bulk]) {
      if (lane.size === 0) continue;
      for (const member of lane.removeWhere((waiting) => waiting.isExpired(nowMs))) {
        member.fail(expiredError());
      }
    }
  }

  /** What of `line` to run now; `undefined` when it is better to wait, for which a timer is set. */
  #choose(line: FairLine<Member>, nowMs: number): readonly Member[] | undefined {
    const { limits, clock } = this.#options;
    const { cost, horizonTokens } = this.#fromCost;
    const window = cost.pads ? SORT_WINDOW : limits.maxBatchItems;
    const waiting = line.candidates(Math.max(window, limits.maxBatchItems), horizonTokens);
    const candidates = ofOneKind(waiting);
    const decision = decideBatch(
      {
        tokenCounts: candidates.map((member) => member.tokens),
        oldestWaitMs: nowMs - (candidates[0]?.enqueuedMs ?? nowMs),
        tokensPerMs: this.#rate.tokensPerMs,
      },
      limits,
      cost,
    );
    if (decision.kind === "wait") {
      this.#cancelTimer = clock.setTimer(decision.delayMs, () => this.#pump());
      return undefined;
    }
    if (decision.kind === "idle") return undefined;
    const members: Member[] = [];
    for (const index of decision.take) {
      const member = candidates[index];
      if (member !== undefined) members.push(member);
    }
    line.serve(members);
    return members;
  }

  #start(lane: Lane, members: readonly Member[], startedMs: number): void {
    if (this.#busySlots === 0) this.#rate.started(startedMs);
    const tokens = countTokens(members);
    this.#busySlots++;
    this.#runningTokens += tokens;
    this.#lanes.started(lane, tokens);
    const { backend, clock, observer } = this.#options;
    const running = runBatch(members, startedMs, {
      backend,
      clock,
      onRun: (observation, endedMs) => {
        this.#rate.finished(observation.tokens, endedMs);
        observer.batchFinished(observation);
      },
    });
    // `runBatch` answers its members itself and never rejects.
    void running.then(() => {
      this.#busySlots--;
      this.#runningTokens -= tokens;
      this.#lanes.ended(lane);
      // A run on this very thread ends in the turn in which it began; what arrived meanwhile is read before more bulk work.
      if (lane === "bulk" && this.#lanes.online.size === 0) this.#schedulePump();
      else this.#pump();
    });
  }

  #cancel(member: Member): void {
    if (member.settled) return;
    this.#lanes[member.lane].remove(member);
    member.fail(new SluiceError("cancelled", "The caller went away before the answer came."));
  }

  #onSettled(): void {
    this.#outstanding--;
    if (this.#outstanding > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }
}

/** Those that are copies if the first one is, and otherwise the others: what callers ask never runs with what a release asks by itself. */
function ofOneKind(candidates: readonly Member[]): readonly Member[] {
  const isCopy = candidates[0]?.isCopy;
  if (candidates.every((member) => member.isCopy === isCopy)) return candidates;
  return candidates.filter((member) => member.isCopy === isCopy);
}
