import type { DeliveryOutcome } from "../ports/event-destination.ts";

/** How often, and how far apart, an event is sent again. */
export interface RetryPolicy {
  /** Attempts in all, the first included; ≥ 1. */
  readonly maxAttempts: number;
  /** Longest wait after the first attempt; it doubles with each further one. */
  readonly baseDelayMs: number;
  /** It doubles no further than this. */
  readonly maxDelayMs: number;
  /** What a receiver may ask for at most. */
  readonly maxRetryAfterMs: number;
}

/** 16 attempts over a day at most, half of that on average: most trouble is over by then. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  maxAttempts: 16,
  baseDelayMs: 5_000,
  maxDelayMs: 6 * 3_600_000,
  maxRetryAfterMs: 24 * 3_600_000,
};

export type RetryDecision =
  | { readonly kind: "settle" }
  | { readonly kind: "retry"; readonly delayMs: number }
  | { readonly kind: "giveUp"; readonly reason: string };

/**
 * What becomes of a delivery after an attempt. Waits grow exponentially with full jitter: anything from nothing to the longest
 * wait, so that receivers that come back are not met by all at once. A receiver that names a time is not asked earlier.
 *
 * @param attempt from 1
 * @param random 0 ≤ random < 1
 */
export function decideRetry(
  attempt: number,
  outcome: DeliveryOutcome,
  random: number,
  policy: RetryPolicy = DEFAULT_RETRY_POLICY,
): RetryDecision {
  if (outcome.kind === "delivered") return { kind: "settle" };
  const { reason, isFinal, retryAfterMs = 0 } = outcome;
  if (isFinal) return { kind: "giveUp", reason };
  if (attempt >= policy.maxAttempts) {
    return { kind: "giveUp", reason: `${reason} (attempt ${attempt} of ${policy.maxAttempts})` };
  }
  const longestMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1));
  const wantedMs = Math.min(policy.maxRetryAfterMs, Math.max(0, retryAfterMs));
  return { kind: "retry", delayMs: Math.round(Math.max(wantedMs, random * longestMs)) };
}
