import { setTimeout as sleep } from "node:timers/promises";
import { PassingFault } from "./fetch-fault.ts";

export interface RetryOptions {
  /** Tries in a row that bring nothing before it is given up; ≥ 1. */
  readonly attempts: number;
  /** Wait after the first of them, milliseconds; doubled after each, with jitter. */
  readonly firstWaitMs: number;
  /** Ends all waits. */
  readonly signal: AbortSignal;
}

const MAX_WAIT_MS = 30_000;

/**
 * Does something again and again while it fails with a `PassingFault`. Waits grow, and are drawn at random from their upper
 * half, so that many servers do not come back at once.
 *
 * @param attempt resolves with its result; may call `progressed` when it has brought something, which starts the count anew
 */
export async function withRetries<Result>(
  attempt: (progressed: () => void) => Promise<Result>,
  { attempts, firstWaitMs, signal }: RetryOptions,
): Promise<Result> {
  let failed = 0;
  const progressed = () => {
    failed = 0;
  };
  for (;;) {
    try {
      return await attempt(progressed);
    } catch (thrown) {
      failed++;
      if (!(thrown instanceof PassingFault) || failed >= attempts || signal.aborted) throw thrown;
      const wantedMs = Math.min(firstWaitMs * 2 ** (failed - 1), MAX_WAIT_MS);
      const waitMs = thrown.waitMs ?? wantedMs * (0.5 + Math.random() / 2);
      await sleep(waitMs, undefined, { signal }).catch(() => {
        throw thrown;
      });
    }
  }
}
