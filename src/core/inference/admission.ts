/** Limits on waiting work. Defaults and meanings: `batching` in the configuration reference. */
export interface AdmissionLimits {
  readonly maxQueueItems: number;
  /** Predicted wait above which new work is refused, so that accepted work keeps its latency. */
  readonly maxQueueWaitMs: number;
}

/** What waits, what wants in, and how fast work gets done. */
export interface AdmissionSnapshot {
  readonly queuedItems: number;
  readonly queuedTokens: number;
  /** Ids in batches that are running now: they stand in front of everything that waits. */
  readonly runningTokens: number;
  readonly newItems: number;
  readonly newTokens: number;
  /** Measured ids per millisecond over all slots; `undefined` until the first batch has run. */
  readonly tokensPerMs: number | undefined;
  /** Milliseconds until the newcomer's deadline. */
  readonly remainingMs: number;
}

export type AdmissionDecision =
  | { readonly admitted: true }
  | { readonly admitted: false; readonly retryAfterMs: number };

/** Told to callers before anything has been measured. */
const UNKNOWN_RETRY_MS = 1000;

/**
 * Decides whether new work may wait. Pure. Work is measured in ids, because a text's cost grows with its length.
 *
 * An empty queue admits anything that fits its bound: refusing when nothing waits would refuse forever.
 */
export function decideAdmission(
  snapshot: AdmissionSnapshot,
  limits: AdmissionLimits,
): AdmissionDecision {
  const { queuedItems, tokensPerMs } = snapshot;
  const tokensAhead = snapshot.queuedTokens + snapshot.runningTokens;
  if (queuedItems > 0 && queuedItems + snapshot.newItems > limits.maxQueueItems) {
    return { admitted: false, retryAfterMs: drainMs(tokensAhead, tokensPerMs) };
  }
  if (queuedItems === 0 || tokensPerMs === undefined) return { admitted: true };
  const waitMs = tokensAhead / tokensPerMs;
  const doneMs = waitMs + snapshot.newTokens / tokensPerMs;
  if (waitMs > limits.maxQueueWaitMs || doneMs > snapshot.remainingMs) {
    return { admitted: false, retryAfterMs: drainMs(tokensAhead, tokensPerMs) };
  }
  return { admitted: true };
}

function drainMs(tokens: number, tokensPerMs: number | undefined): number {
  return tokensPerMs === undefined ? UNKNOWN_RETRY_MS : Math.ceil(tokens / tokensPerMs);
}
