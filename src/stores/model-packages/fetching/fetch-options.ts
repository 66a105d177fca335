import type { RetryOptions } from "./with-retries.ts";

/** How packages are fetched, wherever from. */
export interface FetchOptions extends Omit<RetryOptions, "signal"> {
  /** How long another server may be silent, in milliseconds. */
  readonly timeoutMs: number;
  /** Longest package, archived and unpacked, in bytes. */
  readonly maxBytes: number;
}
