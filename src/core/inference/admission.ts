/** Limits on waiting work. Defaults and meanings: `batching` in the configuration reference. */
export interface AdmissionLimits {
  readonly maxQueueItems: number;
  /** Predicted wait above which new work is refused. Under overload the bound is lower, see `decideMaxWaitMs`. */
  readonly maxQueueWaitMs: number;
}

/** What waits, what wants in, and how fast work gets done. */
export interface AdmissionSnapshot {
  readonly queuedItems: number;
  readonly queuedTokens: number;
  /** Ids that the newcomer's own flow has waiting. */
  readonly flowTokens: number;
  /** The newcomer's part of all claims on the model, its own included; 0 < share ≤ 1. */
  readonly flowShare: number;
  /** Ids in batches that are running now: they stand in front of everything that waits. */
  readonly runningTokens: number;
  readonly newItems: number;
  readonly newTokens: number;
  /** Measured ids per millisecond over all slots. */
  readonly tokensPerMs: number;
  /** Ids per millisecond that callers ask for, refused ones included. */
  readonly offeredTokensPerMs: number;
  /** Ids that are in flight when all slots are busy with runs of efficient size. */
  readonly fullFlightTokens: number;
  /** Milliseconds until the newcomer's deadline. */
  readonly remainingMs: number;
}

/** Up to this much more than what gets done, callers that wait for their answers explain the queue. */
const CALM_PRESSURE = 1.1;
/** From here on it is overload: the queue will not get shorter by waiting. */
const FULL_PRESSURE = 1.6;
/** Under overload work may wait this many times as long as the runs in flight take: enough to keep all slots busy. */
const OVERLOAD_FLIGHTS = 2;

/**
 * The wait to allow. Pure.
 *
 * A queue is long for one of two reasons. Many callers may wait for answers before they ask again: then no more is
 * asked for than gets done, the queue stays as it is, and refusing would only turn patience into errors. Or more is
 * asked for than can be done: then every bound is reached and stays reached, and a long queue makes every accepted
 * caller wait without answering one more of them. What is asked for, against what gets done, tells them apart.
 */
export function decideMaxWaitMs(snapshot: AdmissionSnapshot, { maxQueueWaitMs }: AdmissionLimits) {
  const { offeredTokensPerMs, tokensPerMs, fullFlightTokens } = snapshot;
  const overloadWaitMs = (OVERLOAD_FLIGHTS * fullFlightTokens) / tokensPerMs;
  if (overloadWaitMs >= maxQueueWaitMs || maxQueueWaitMs === Number.POSITIVE_INFINITY) {
    return maxQueueWaitMs;
  }
  const pressure = offeredTokensPerMs / tokensPerMs;
  const share = (pressure - CALM_PRESSURE) / (FULL_PRESSURE - CALM_PRESSURE);
  const overload = Math.min(1, Math.max(0, share));
  return maxQueueWaitMs + overload * (overloadWaitMs - maxQueueWaitMs);
}

export type AdmissionDecision =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly retryAfterMs: number };

/**
 * Decides whether new work may wait. Pure. Work is measured in ids, because a text's cost grows with its length.
 *
 * What stands in front of a newcomer is what its own flow has waiting, at the speed of that flow's share: a caller who
 * floods the queue delays and is refused by itself, and one who asks for little finds room beside it. An empty queue
 * admits anything: refusing when nothing waits would refuse forever.
 */
export function decideAdmission(
  snapshot: AdmissionSnapshot,
  limits: AdmissionLimits,
): AdmissionDecision {
  const { queuedItems, tokensPerMs } = snapshot;
  if (queuedItems === 0) return { admitted: true };
  const ahead = Math.min(snapshot.queuedTokens, snapshot.flowTokens / snapshot.flowShare);
  const waitMs = (ahead + snapshot.runningTokens) / tokensPerMs;
  const doneMs = waitMs + snapshot.newTokens / tokensPerMs;
  const isFull = queuedItems + snapshot.newItems > limits.maxQueueItems;
  if (!isFull && waitMs <= decideMaxWaitMs(snapshot, limits) && doneMs <= snapshot.remainingMs) {
    return { admitted: true };
  }
  const inFront = snapshot.runningTokens + (isFull ? snapshot.queuedTokens : ahead);
  return { admitted: false, retryAfterMs: Math.max(1, Math.ceil(inFront / tokensPerMs)) };
}
