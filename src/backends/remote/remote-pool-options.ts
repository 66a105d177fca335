/** How a pool of servers that run elsewhere behaves. Every field has a default: `REMOTE_POOL_DEFAULTS`. */
export interface RemotePoolOptions {
  /** Milliseconds that one attempt may take; the request's own deadline may allow less. > 0 */
  readonly attemptTimeoutMs?: number;
  /** How often one request may be sent to the same endpoint; ≥ 1. A second time only when no other is left. */
  readonly maxAttemptsPerEndpoint?: number;
  /** How often one request may be sent in all; ≥ 1. Default: once per endpoint, and once more. */
  readonly maxAttempts?: number;
  /** Milliseconds to wait before a request goes to an endpoint a second time; ≥ 0. */
  readonly retryDelayMs?: number;
  /** Retries allowed, as a share of the requests of the last ten seconds; 0..1. */
  readonly retryShare?: number;
  /** Retries per second that are allowed however few requests there are; ≥ 0. */
  readonly minRetriesPerSecond?: number;
  /** Failures in a row after which an endpoint gets no more requests; ≥ 1. */
  readonly ejectAfterFailures?: number;
  /** Share of failures from which an endpoint counts as an outlier, if another has less than half of it; 0..1. */
  readonly ejectAtFailureRate?: number;
  /** Requests that an endpoint must have had within the window before its rate means anything; ≥ 1. */
  readonly minRateRequests?: number;
  /** Milliseconds that rates look back: between one and two of these; > 0. */
  readonly rateWindowMs?: number;
  /** Share of the endpoints that may be ejected while the others are as bad; 0..1. */
  readonly maxEjectedShare?: number;
  /** Milliseconds that an endpoint is left alone the first time; doubled each time it fails its trial. > 0 */
  readonly coolDownMs?: number;
  /** Milliseconds that it is left alone at most; ≥ `coolDownMs`. */
  readonly maxCoolDownMs?: number;
  /** Milliseconds that a health probe may take; > 0. */
  readonly probeTimeoutMs?: number;
}

/** Every option with its default, but for `maxAttempts`, which follows the number of endpoints. */
export const REMOTE_POOL_DEFAULTS = {
  attemptTimeoutMs: 30_000,
  maxAttemptsPerEndpoint: 2,
  retryDelayMs: 50,
  retryShare: 0.2,
  minRetriesPerSecond: 10,
  ejectAfterFailures: 3,
  ejectAtFailureRate: 0.5,
  minRateRequests: 20,
  rateWindowMs: 10_000,
  maxEjectedShare: 0.5,
  coolDownMs: 500,
  maxCoolDownMs: 10_000,
  probeTimeoutMs: 2_000,
} as const satisfies Required<Omit<RemotePoolOptions, "maxAttempts">>;

/** The options of a pool with nothing left open. */
export type RemotePoolLimits = Readonly<Required<RemotePoolOptions>>;

/** Fills in the defaults. Pure. */
export function toPoolLimits(options: RemotePoolOptions, endpoints: number): RemotePoolLimits {
  return { ...REMOTE_POOL_DEFAULTS, maxAttempts: endpoints + 1, ...options };
}
