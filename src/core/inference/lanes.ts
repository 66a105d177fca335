import type { LineEntry } from "./fair-line.ts";
import { FairLine } from "./fair-line.ts";
import { OnlineActivity } from "./online-activity.ts";

/** `online`: somebody waits for the answer. `bulk`: it may take as long as it takes. */
export const LANES = ["online", "bulk"] as const;
export type Lane = (typeof LANES)[number];

export interface LaneSnapshot {
  readonly onlineItems: number;
  readonly bulkItems: number;
  readonly busyBulkSlots: number;
  /** Slots that bulk work may hold at once. */
  readonly maxBulkSlots: number;
  /** Ids that online work owes to bulk work for having gone first. */
  readonly bulkCredit: number;
  /** Ids of the bulk text whose turn it is. */
  readonly nextBulkTokens: number;
}

/**
 * Which lane a free slot serves next; `undefined` when it should stay free. Pure.
 *
 * Online work goes first. Bulk work takes what is left, and holds at most one batch per worker, so that an online text
 * never waits for more than the run that is going on. It is owed a small share even when online work never ends.
 */
export function decideLane(lanes: LaneSnapshot): Lane | undefined {
  const bulkMayRun = lanes.bulkItems > 0 && lanes.busyBulkSlots < lanes.maxBulkSlots;
  if (lanes.onlineItems === 0) return bulkMayRun ? "bulk" : undefined;
  return bulkMayRun && lanes.bulkCredit >= lanes.nextBulkTokens ? "bulk" : "online";
}

/** The two lines in front of a model, and what one owes the other. */
export class Lanes<Entry extends LineEntry> {
  readonly online = new FairLine<Entry>();
  readonly bulk = new FairLine<Entry>();
  readonly #parallelRuns: number;
  readonly #bulkShare: number;
  readonly #activity = new OnlineActivity();
  #busyBulkSlots = 0;
  #bulkCredit = 0;

  /**
   * @param parallelRuns batches that are computed at once. Bulk work may hold as many slots; one less, if that leaves it any, while
   * online work comes: then there is always a worker whose next run is not a bulk one.
   * @param bulkShare part of the ids that bulk work gets while online work waits; 0 ≤ share < 1
   */
  constructor(parallelRuns: number, bulkShare: number) {
    this.#parallelRuns = parallelRuns;
    this.#bulkShare = bulkShare;
  }

  get size(): number {
    return this.online.size + this.bulk.size;
  }

  /** Notes that online work has come. */
  cameOnline(nowMs: number): void {
    this.#activity.note(nowMs);
  }

  /** The lane whose turn it is. */
  next(nowMs: number): Lane | undefined {
    const spared = this.#activity.isRecent(nowMs) ? 1 : 0;
    return decideLane({
      onlineItems: this.online.size,
      bulkItems: this.bulk.size,
      busyBulkSlots: this.#busyBulkSlots,
      maxBulkSlots: Math.max(1, this.#parallelRuns - spared),
      bulkCredit: this.#bulkCredit,
      nextBulkTokens: this.bulk.next?.tokens ?? 0,
    });
  }

  /** Notes that a batch of `tokens` ids begins. */
  started(lane: Lane, tokens: number): void {
    if (lane === "bulk") {
      this.#busyBulkSlots++;
      this.#bulkCredit = Math.max(0, this.#bulkCredit - tokens);
    } else if (this.bulk.size > 0) {
      this.#bulkCredit += (tokens * this.#bulkShare) / (1 - this.#bulkShare);
    }
    if (this.bulk.size === 0) this.#bulkCredit = 0;
  }

  ended(lane: Lane): void {
    if (lane === "bulk") this.#busyBulkSlots--;
  }
}
