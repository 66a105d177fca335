import { SluiceError } from "../../core/errors.ts";
import type { RateCount, RateCounter } from "../../core/ports/rate-counter.ts";
import type { Caller, RequestContext } from "../request-context.ts";

export interface RateLimitOptions {
  readonly counter: RateCounter;
  /** Requests per window and caller; 0 = no limit. */
  readonly requests: number;
  readonly windowMs: number;
}

/** Counts one request of `caller`, notes the allowance, refuses when it is spent. */
export type RateLimiter = (caller: Caller, context: RequestContext) => void | Promise<void>;

/**
 * Limits requests per caller, never per request: an allowance keyed by anything that the caller makes up anew each
 * time limits nobody.
 *
 * @returns a limiter that throws SluiceError `rate_limited` with `retryAfterMs`
 */
export function createRateLimiter({ counter, requests, windowMs }: RateLimitOptions): RateLimiter {
  const windowSeconds = Math.ceil(windowMs / 1000);
  const judge = ({ count, resetMs }: RateCount, limit: number, context: RequestContext): void => {
    context.allowance = {
      limit,
      remaining: Math.max(0, limit - count),
      windowSeconds,
      resetSeconds: Math.ceil(resetMs / 1000),
    };
    if (count <= limit) return;
    const message = `The allowance of ${limit} requests per ${windowSeconds} s is spent.`;
    throw new SluiceError("rate_limited", message, { retryAfterMs: resetMs });
  };
  return (caller, context) => {
    const limit = caller.rateLimitRequests ?? requests;
    if (limit === 0) return undefined;
    const count = counter.hit(caller.id, windowMs);
    if (count instanceof Promise) return count.then((counted) => judge(counted, limit, context));
    return judge(count, limit, context);
  };
}
