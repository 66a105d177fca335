/** Limits of one batch. Defaults and meanings: `batching` in the configuration reference. */
export interface BatchLimits {
  readonly maxBatchItems: number;
  /** Ids a batch may hold once padded. One text that is longer than this runs alone. */
  readonly maxBatchTokens: number;
  /** Milliseconds of work, at the measured speed of all slots together, that one batch may hold. */
  readonly maxBatchRunMs: number;
  /** 0 = natural batching: whatever waits is sent as soon as a slot is free. */
  readonly maxQueueDelayMs: number;
  /** With `maxQueueDelayMs` > 0: send as soon as this many wait. */
  readonly minBatchItems: number;
}

/** What the policy looks at: the front of the queue, oldest first. */
export interface QueueSnapshot {
  /** Ids per waiting text, oldest first; at least the first `maxBatchItems` of the queue. */
  readonly tokenCounts: readonly number[];
  /** How long the oldest has waited. */
  readonly oldestWaitMs: number;
  /** Measured ids per millisecond over all slots; `undefined` until the first batch has run. */
  readonly tokensPerMs: number | undefined;
}

export type BatchDecision =
  | { readonly kind: "idle" }
  /** Look again in `delayMs`, or when something arrives. */
  | { readonly kind: "wait"; readonly delayMs: number }
  /** Send the `take` oldest as one batch. */
  | { readonly kind: "run"; readonly take: number };

/**
 * Decides, for a free slot, what to send now. Pure.
 *
 * With natural batching nothing ever waits while a slot is free: batches grow by themselves exactly when the model is
 * the bottleneck, because texts gather while all slots are busy. A timer can only add latency to that; it exists for
 * models whose single runs are very dear.
 */
export function decideBatch(queue: QueueSnapshot, limits: BatchLimits): BatchDecision {
  if (queue.tokenCounts.length === 0) return { kind: "idle" };
  const take = countFitting(queue, limits);
  const isFull = take < queue.tokenCounts.length || take === limits.maxBatchItems;
  const delayMs = limits.maxQueueDelayMs - queue.oldestWaitMs;
  if (isFull || delayMs <= 0 || queue.tokenCounts.length >= limits.minBatchItems) {
    return { kind: "run", take };
  }
  return { kind: "wait", delayMs };
}

/**
 * How many of the oldest fit into one padded batch; at least one. A batch that runs long gains nothing by its size (a
 * run is efficient from a few dozen ids on) and makes everybody behind it wait.
 */
function countFitting({ tokenCounts, tokensPerMs }: QueueSnapshot, limits: BatchLimits): number {
  const affordable = (tokensPerMs ?? Number.POSITIVE_INFINITY) * limits.maxBatchRunMs;
  const maxTokens = Math.min(limits.maxBatchTokens, affordable);
  let longest = 0;
  let take = 0;
  for (const tokens of tokenCounts) {
    longest = Math.max(longest, tokens);
    const fits = take < limits.maxBatchItems && longest * (take + 1) <= maxTokens;
    if (take > 0 && !fits) break;
    take++;
  }
  return take;
}
