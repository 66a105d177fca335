/**
 * Tells that a caller no longer waits. The core's own two-member view of an `AbortSignal`, which does not exist
 * in plain ECMAScript and costs several microseconds per request where it does.
 */
export interface Cancellation {
  readonly cancelled: boolean;
  /** Calls `listener` once, when the caller goes away. Returns a function that unsubscribes. */
  onCancel(listener: () => void): () => void;
}

/** For work that nobody can cancel: warm-up, command line, tests. */
export const NEVER_CANCELLED: Cancellation = {
  cancelled: false,
  onCancel: () => () => {},
};
