import type { EndpointState } from "./endpoint-health.ts";

/**
 * Hears what happens to remote endpoints, after it happened: for metrics and the log. Calls are synchronous and must
 * not throw. `url` is the endpoint's, as configured.
 */
export interface RemotePoolObserver {
  /** An endpoint was ejected, is being tried, or is back. */
  endpointChanged?(url: string, from: EndpointState, to: EndpointState): void;
  /** One attempt ended. `code` is undefined when it answered. */
  attemptFinished?(url: string, durationMs: number, code: string | undefined): void;
  /** A request that failed on `url` with `code` is sent again. */
  retried?(url: string, code: string): void;
  /** A request that could have been sent again was not, because retries are used up. */
  retryDenied?(url: string, code: string): void;
}
