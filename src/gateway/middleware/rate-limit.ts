import type { FastifyReply } from "fastify";
import { SluiceError } from "../../core/errors.ts";
import type { RateCount, RateCounter } from "../../core/ports/rate-counter.ts";
import type { Caller } from "../request-context.ts";

export interface RateLimitOptions {
  readonly counter: RateCounter;
  /** Requests per window and caller; 0 = no limit. */
  readonly requests: number;
  readonly windowMs: number;
}

/** Counts one request of `caller`; writes the headers; refuses when the allowance is spent. */
export type RateLimiter = (caller: Caller, reply: FastifyReply) => void | Promise<void>;

/**
 * Limits requests per caller, never per request: an allowance keyed by anything that the caller makes up anew each
 * time limits nobody. Headers follow the IETF draft "RateLimit header fields for HTTP" (RateLimit, RateLimit-Policy).
 *
 * @returns a limiter that throws SluiceError `rate_limited` with `retryAfterMs`
 */
export function createRateLimiter({ counter, requests, windowMs }: RateLimitOptions): RateLimiter {
  const windowSeconds = Math.ceil(windowMs / 1000);
  const judge = (count: RateCount, limit: number, reply: FastifyReply): void => {
    const remaining = Math.max(0, limit - count.count);
    const resetSeconds = Math.ceil(count.resetMs / 1000);
    reply.header("ratelimit-policy", `"default";q=${limit};w=${windowSeconds}`);
    reply.header("ratelimit", `"default";r=${remaining};t=${resetSeconds}`);
    if (count.count <= limit) return;
    const message = `The allowance of ${limit} requests per ${windowSeconds} s is spent.`;
    throw new SluiceError("rate_limited", message, { retryAfterMs: count.resetMs });
  };
  return (caller, reply) => {
    const limit = caller.rateLimitRequests ?? requests;
    if (limit === 0) return undefined;
    const count = counter.hit(caller.id, windowMs);
    if (count instanceof Promise) return count.then((counted) => judge(counted, limit, reply));
    return judge(count, limit, reply);
  };
}
