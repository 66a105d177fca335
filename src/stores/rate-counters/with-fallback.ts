import { SluiceError } from "../../core/errors.ts";
import type { RateCount, RateCounter } from "../../core/ports/rate-counter.ts";

/**
 * What happens while the counts that are shared cannot be reached: each process counts for itself (`own`), nobody is
 * limited (`allow`), or nobody is let in (`refuse`).
 */
export type WhenDown = "own" | "allow" | "refuse";

export interface FallbackOptions {
  readonly shared: RateCounter;
  /** Counts in this process. */
  readonly own: RateCounter;
  readonly whenDown: WhenDown;
}

/** When a counter that cannot be reached is asked again by callers who were refused. */
const RETRY_MS = 1000;

/** A counter that has an answer when `shared` has none. */
export function createCounterWithFallback(options: FallbackOptions): RateCounter {
  const { shared, own, whenDown } = options;
  const hitWithout = (key: string, windowMs: number): RateCount | Promise<RateCount> => {
    if (whenDown === "own") return own.hit(key, windowMs);
    if (whenDown === "allow") return { count: 1, resetMs: windowMs };
    const message = "Requests cannot be counted now, and without that none is answered; try again.";
    throw new SluiceError("unavailable", message, { retryAfterMs: RETRY_MS });
  };
  return {
    description: `${shared.description}; while it is away: ${DESCRIPTIONS[whenDown]}`,
    hit: async (key, windowMs) => {
      try {
        return await shared.hit(key, windowMs);
      } catch {
        // The driver tells why, once.
        return await hitWithout(key, windowMs);
      }
    },
    close: async () => {
      await Promise.all([shared.close(), own.close()]);
    },
  };
}

const DESCRIPTIONS: Readonly<Record<WhenDown, string>> = {
  own: "each process for itself",
  allow: "no limit",
  refuse: "no requests",
};
