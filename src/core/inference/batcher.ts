import { SluiceError, toSluiceError } from "../errors.ts";
import type { Backend } from "../ports/backend.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Clock } from "../ports/clock.ts";
import type { VersionObserver } from "../ports/inference-observer.ts";
import type { EncodedText } from "../ports/tokenizer.ts";
import type { AdmissionLimits } from "./admission.ts";
import { decideAdmission } from "./admission.ts";
import type { BatchLimits } from "./batch-policy.ts";
import { decideBatch } from "./batch-policy.ts";
import { DrainRate } from "./drain-rate.ts";
import type { LineEntry } from "./waiting-line.ts";
import { WaitingLine } from "./waiting-line.ts";

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
}

export interface BatchOutcome {
  /** Raw model outputs of this text, one per label. */
  readonly logits: Float32Array;
  readonly queueMs: number;
  readonly runMs: number;
}

export interface BatcherOptions {
  readonly backend: Backend;
  readonly clock: Clock;
  readonly limits: BatchLimits & AdmissionLimits;
  readonly observer: VersionObserver;
}

/** A submission from its arrival until it is answered. `settled` makes "exactly once" a fact. */
interface Member extends LineEntry {
  readonly submission: BatchSubmission;
  readonly enqueuedMs: number;
  readonly resolve: (outcome: BatchOutcome) => void;
  readonly reject: (error: SluiceError) => void;
  unsubscribe: () => void;
  settled: boolean;
}

/**
 * Gathers texts into batches for one model version. It alone owns the queue.
 *
 * Promises: every submission is answered exactly once, with its own row; no batch exceeds its limits; a cancelled or
 * expired text never reaches the backend; when a batch fails its members run one by one, so that only those fail that
 * fail alone.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  readonly #line = new WaitingLine<Member>();
  readonly #rate = new DrainRate();
  #busySlots = 0;
  #runningTokens = 0;
  #pumpScheduled = false;
  #cancelTimer: (() => void) | undefined;
  #outstanding = 0;
  #closed = false;
  #whenEmpty: (() => void)[] = [];

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Texts waiting for a slot. */
  get queuedItems(): number {
    return this.#line.size;
  }

  /** Texts accepted and not yet answered. */
  get outstandingItems(): number {
    return this.#outstanding;
  }

  /**
   * Checks that `items` texts of `tokens` ids together may join the queue now.
   *
   * @throws SluiceError `overloaded` with `retryAfterMs` from the measured drain rate; `unavailable` after `drain`.
   */
  assertAdmits(items: number, tokens: number, deadlineMs: number): void {
    if (this.#closed) {
      throw new SluiceError("unavailable", "This model version is being unloaded.");
    }
    const decision = decideAdmission(
      {
        queuedItems: this.#line.size,
        queuedTokens: this.#line.tokens,
        runningTokens: this.#runningTokens,
        newItems: items,
        newTokens: tokens,
        tokensPerMs: this.#rate.tokensPerMs,
        remainingMs: deadlineMs - this.#options.clock.nowMs(),
      },
      this.#options.limits,
    );
    if (!decision.admitted) {
      throw new SluiceError("overloaded", "The model has more work than it can finish in time.", {
        retryAfterMs: decision.retryAfterMs,
      });
    }
  }

  /**
   * Queues one text.
   *
   * @returns its outcome, or a rejection with SluiceError `overloaded`, `unavailable`, `cancelled`,
   * `deadline_exceeded` or `model_failed`.
   */
  submit(submission: BatchSubmission): Promise<BatchOutcome> {
    const tokens = submission.encoded.ids.length;
    return new Promise((resolve, reject) => {
      this.assertAdmits(1, tokens, submission.ticket.deadlineMs);
      const enqueuedMs = this.#options.clock.nowMs();
      const member: Member = {
        submission,
        tokens,
        position: -1,
        enqueuedMs,
        resolve,
        reject,
        unsubscribe: () => {},
        settled: false,
      };
      this.#outstanding++;
      this.#line.push(member);
      member.unsubscribe = submission.ticket.cancellation.onCancel(() => this.#cancel(member));
      if (submission.ticket.cancellation.cancelled) this.#cancel(member);
      this.#schedulePump();
    });
  }

  /** Refuses new work and resolves when every accepted text is answered. */
  async drain(): Promise<void> {
    this.#closed = true;
    if (this.#outstanding === 0) return;
    await new Promise<void>((resolve) => this.#whenEmpty.push(resolve));
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
      const oldest = this.#line.oldest;
      const decision = decideBatch(
        {
          tokenCounts: this.#line.frontTokens(this.#options.limits.maxBatchItems + 1),
          oldestWaitMs: oldest === undefined ? 0 : nowMs - oldest.enqueuedMs,
          tokensPerMs: this.#rate.tokensPerMs,
        },
        this.#options.limits,
      );
      if (decision.kind === "idle") return;
      if (decision.kind === "wait") {
        this.#cancelTimer = this.#options.clock.setTimer(decision.delayMs, () => this.#pump());
        return;
      }
      this.#start(this.#line.take(decision.take), nowMs);
    }
  }

  #dropExpired(nowMs: number): void {
    for (const member of this.#line.removeWhere((m) => m.submission.ticket.deadlineMs <= nowMs)) {
      this.#fail(member, expired());
    }
  }

  #start(members: readonly Member[], startedMs: number): void {
    if (this.#busySlots === 0) this.#rate.started(startedMs);
    this.#busySlots++;
    const tokens = countTokens(members);
    this.#runningTokens += tokens;
    // #run settles its members itself and never rejects.
    void this.#run(members, startedMs).then(() => {
      this.#busySlots--;
      this.#runningTokens -= tokens;
      this.#pump();
    });
  }

  async #run(members: readonly Member[], startedMs: number): Promise<void> {
    const { backend, clock } = this.#options;
    try {
      const rows = await backend.run(members.map((member) => member.submission.encoded));
      assertOneRowEach(rows, members.length);
      const endedMs = clock.nowMs();
      this.#observe(members, startedMs, endedMs, false);
      for (const [index, member] of members.entries()) {
        const logits = rows[index];
        if (logits === undefined) continue;
        const queueMs = startedMs - member.enqueuedMs;
        this.#settle(member, () => member.resolve({ logits, queueMs, runMs: endedMs - startedMs }));
      }
    } catch (thrown) {
      this.#observe(members, startedMs, clock.nowMs(), true);
      await this.#recover(members, toSluiceError(thrown));
    }
  }

  /** A failed batch says nothing about its members: each gets a run of its own, in the slot that the batch had. */
  async #recover(members: readonly Member[], error: SluiceError): Promise<void> {
    const [only] = members;
    if (members.length === 1 && only !== undefined) {
      this.#fail(only, toItemError(error));
      return;
    }
    for (const member of members) {
      if (member.settled) continue;
      const nowMs = this.#options.clock.nowMs();
      if (member.submission.ticket.deadlineMs <= nowMs) this.#fail(member, expired());
      else await this.#run([member], nowMs);
    }
  }

  #cancel(member: Member): void {
    if (member.settled) return;
    this.#line.remove(member);
    this.#fail(
      member,
      new SluiceError("cancelled", "The caller went away before the answer came."),
    );
  }

  #fail(member: Member, error: SluiceError): void {
    this.#settle(member, () => member.reject(error));
  }

  #settle(member: Member, answer: () => void): void {
    if (member.settled) return;
    member.settled = true;
    member.unsubscribe();
    answer();
    this.#outstanding--;
    if (this.#outstanding > 0) return;
    for (const resolve of this.#whenEmpty.splice(0)) resolve();
  }

  #observe(members: readonly Member[], startedMs: number, endedMs: number, failed: boolean): void {
    const tokens = countTokens(members);
    let longest = 0;
    let oldestMs = startedMs;
    for (const member of members) {
      longest = Math.max(longest, member.tokens);
      oldestMs = Math.min(oldestMs, member.enqueuedMs);
    }
    this.#rate.finished(tokens, endedMs);
    this.#options.observer.batchFinished({
      items: members.length,
      tokens,
      paddedTokens: longest * members.length,
      queueMs: startedMs - oldestMs,
      runMs: endedMs - startedMs,
      failed,
    });
  }
}

function countTokens(members: readonly Member[]): number {
  let tokens = 0;
  for (const member of members) tokens += member.tokens;
  return tokens;
}

function expired(): SluiceError {
  return new SluiceError("deadline_exceeded", "The deadline passed before the model could run.");
}

/** A backend that answers with too few rows would leave callers waiting forever. */
function assertOneRowEach(rows: readonly Float32Array[], count: number): void {
  if (rows.length === count) return;
  const message = `The model answered ${rows.length} rows for ${count} texts.`;
  throw new SluiceError("model_failed", message);
}

/** What a caller is told when its text failed alone. A bug of the backend counts as the model's failure. */
function toItemError(error: SluiceError): SluiceError {
  if (error.code !== "internal") return error;
  return new SluiceError("model_failed", "The model failed on this text.", { cause: error.cause });
}
