/** Which work goes first. Lanes are emptied in this order, but none is left waiting for ever: see `WorkQueue.take`. */
export const WORK_LANES = ["high", "normal", "low"] as const;

export type WorkLane = (typeof WORK_LANES)[number];

/** A piece of work that somebody is to do once. */
export interface WorkMessage {
  /** Names the work: a second message with the id of one that is still there, or was lately, is the same work and is not stored. */
  readonly id: string;
  readonly lane: WorkLane;
  /** At most 64 KiB of UTF-8. Says what to do; the material itself is in a store. */
  readonly body: string;
}

/** A message that was handed to this process alone, for a while. */
export interface LeasedWork extends WorkMessage {
  /** How often it was handed out, this time included; from 1. */
  readonly attempt: number;
  /** Says that the work goes on: the lease begins anew. False when it is lost, and somebody else may have the work. */
  extend(): Promise<boolean>;
  /** The work is done and is never handed out again. Idempotent. */
  done(): Promise<void>;
  /** The work did not succeed; it is handed out again after `delayMs` (≥ 0). */
  retry(delayMs: number): Promise<void>;
  /** The work cannot succeed: it goes to the dead letters, with `reason` for people. */
  bury(reason: string): Promise<void>;
}

/** Work that nobody could do. */
export interface DeadLetter extends WorkMessage {
  readonly attempts: number;
  readonly reason: string;
  /** Milliseconds since the Unix epoch. */
  readonly buriedAtMs: number;
}

/** How much work there is. */
export interface WorkCounts {
  /** Waiting, also those whose delay has not passed. */
  readonly waiting: number;
  /** Handed out and not settled. */
  readonly leased: number;
  readonly dead: number;
}

/**
 * Distributes work among workers, durably: what `add` has accepted survives the end of any process, and is handed out
 * until somebody says `done` or `bury`. At least once: a worker that dies, or loses its lease, has its work done again
 * by another, so work must be such that doing it twice does no harm.
 *
 * Concurrency: calls may overlap freely, from any number of processes; a message has one lease at a time.
 * Ordering: within a lane the oldest first; not exact with several workers.
 * Errors: every method rejects with SluiceError `unavailable` while the queue cannot be reached.
 */
export interface WorkQueue {
  readonly description: string;
  /** Resolves once the messages are durable. */
  add(messages: readonly WorkMessage[]): Promise<void>;
  /**
   * Takes up to `max` messages, higher lanes first; of eight that are taken one at a time at least one is the oldest of the lower lanes.
   *
   * @param waitMs how long to wait when there is none; then the answer is empty
   * @param leaseMs without `extend`, `done`, `retry` or `bury` for so long, a message is handed out again
   */
  take(options: {
    readonly max: number;
    readonly waitMs: number;
    readonly leaseMs: number;
  }): Promise<readonly LeasedWork[]>;
  count(): Promise<WorkCounts>;
  /** The newest dead letters first, at most `limit`. */
  listDead(limit: number): Promise<readonly DeadLetter[]>;
  /** Makes work of a dead letter again, as if it were new; false when there is none of that id. */
  revive(id: string): Promise<boolean>;
  /** Takes no more and lets go; leases of this process run out by themselves. Idempotent. */
  close(): Promise<void>;
}
