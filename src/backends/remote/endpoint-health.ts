import { SluiceError } from "../../core/errors.ts";
import type { RemotePoolLimits } from "./remote-pool-options.ts";

/**
 * Where an endpoint stands. Every legal step is in this table; anything else is a bug.
 *
 * healthy: gets requests · ejected: gets none until its cool-down is over · probing: one trial decides, a health probe
 * or, where there is none, a single request.
 */
const STEPS = {
  healthy: { eject: "ejected" },
  ejected: { coolDownOver: "probing" },
  probing: { trialSucceeded: "healthy", trialFailed: "ejected" },
} as const satisfies Record<string, Readonly<Record<string, string>>>;

export type EndpointState = keyof typeof STEPS;

export type EndpointEvent = "eject" | "coolDownOver" | "trialSucceeded" | "trialFailed";

/**
 * What an attempt says about its endpoint. `answered`: it is there, whatever it said. `refused`: it is there and says
 * that it failed, which may be the request's fault. `failed`: it is not there, or not for us. `unknown`: nothing, such
 * as when the caller's own deadline was too short.
 */
export type EndpointOutcome = "answered" | "refused" | "failed" | "unknown";

interface Tally {
  readonly requests: number;
  readonly failures: number;
}

/** What is known about one endpoint. Values are replaced, never changed. */
export interface EndpointHealth {
  readonly state: EndpointState;
  readonly failuresInARow: number;
  /** Ejections without a longer healthy time in between; decides the cool-down. */
  readonly ejectionsInARow: number;
  /** When the cool-down is over; only while ejected. On the pool's clock. */
  readonly retryAtMs: number;
  readonly healthySinceMs: number;
  readonly windowStartedMs: number;
  readonly current: Tally;
  readonly previous: Tally;
}

type HealthLimits = Pick<RemotePoolLimits, "coolDownMs" | "maxCoolDownMs" | "rateWindowMs">;

const NOTHING: Tally = { requests: 0, failures: 0 };
/** Enough to reach any maximum, and not so many that the power overflows. */
const MAX_DOUBLINGS = 30;

/** An endpoint that nothing is known about counts as healthy: its first requests tell. Pure. */
export function createEndpointHealth(nowMs: number): EndpointHealth {
  return {
    state: "healthy",
    failuresInARow: 0,
    ejectionsInARow: 0,
    retryAtMs: 0,
    healthySinceMs: nowMs,
    windowStartedMs: nowMs,
    current: NOTHING,
    previous: NOTHING,
  };
}

/** Counts what became of an attempt. The state stays: only `stepEndpoint` changes it. Pure. */
export function recordOutcome(
  health: EndpointHealth,
  outcome: EndpointOutcome,
  nowMs: number,
  limits: HealthLimits,
): EndpointHealth {
  if (outcome === "unknown") return health;
  const rolled = rollWindow(health, nowMs, limits.rateWindowMs);
  const isFailure = outcome !== "answered";
  return {
    ...rolled,
    failuresInARow: toFailuresInARow(health.failuresInARow, outcome),
    current: {
      requests: rolled.current.requests + 1,
      failures: rolled.current.failures + (isFailure ? 1 : 0),
    },
  };
}

/** A request that its endpoint failed on may be the culprit itself, so it neither makes nor breaks a row. */
function toFailuresInARow(failuresInARow: number, outcome: EndpointOutcome): number {
  if (outcome === "failed") return failuresInARow + 1;
  return outcome === "answered" ? 0 : failuresInARow;
}

function rollWindow(health: EndpointHealth, nowMs: number, rateWindowMs: number): EndpointHealth {
  const age = nowMs - health.windowStartedMs;
  if (age < rateWindowMs) return health;
  const previous = age < 2 * rateWindowMs ? health.current : NOTHING;
  return { ...health, windowStartedMs: nowMs, current: NOTHING, previous };
}

/**
 * Takes one step of the table. Pure.
 *
 * @throws SluiceError `internal` when the step is not in the table
 */
export function stepEndpoint(
  health: EndpointHealth,
  event: EndpointEvent,
  nowMs: number,
  limits: HealthLimits,
): EndpointHealth {
  const steps: Readonly<Partial<Record<EndpointEvent, EndpointState>>> = STEPS[health.state];
  const state = steps[event];
  if (state === undefined) {
    throw new SluiceError("internal", `An endpoint that is ${health.state} cannot take ${event}.`);
  }
  if (state === "probing") return { ...health, state };
  if (state === "healthy") {
    const { ejectionsInARow } = health;
    return { ...createEndpointHealth(nowMs), ejectionsInARow };
  }
  const isForgiven =
    health.state === "healthy" && nowMs - health.healthySinceMs >= limits.maxCoolDownMs;
  const ejectionsInARow = (isForgiven ? 0 : health.ejectionsInARow) + 1;
  const retryAtMs = nowMs + toCoolDownMs(ejectionsInARow, limits);
  return { ...health, state, ejectionsInARow, retryAtMs };
}

/** Milliseconds to leave an endpoint alone: doubled with every ejection in a row, up to the maximum. Pure. */
export function toCoolDownMs(
  ejectionsInARow: number,
  { coolDownMs, maxCoolDownMs }: Pick<RemotePoolLimits, "coolDownMs" | "maxCoolDownMs">,
): number {
  const doublings = Math.min(ejectionsInARow - 1, MAX_DOUBLINGS);
  return Math.min(coolDownMs * 2 ** doublings, maxCoolDownMs);
}

/** Requests of the last one to two windows, and the share of them that failed; 0 when there were none. Pure. */
export function readFailureRate(
  health: EndpointHealth,
  nowMs: number,
  rateWindowMs: number,
): { readonly requests: number; readonly rate: number } {
  const { current, previous } = rollWindow(health, nowMs, rateWindowMs);
  const requests = current.requests + previous.requests;
  const failures = current.failures + previous.failures;
  return { requests, rate: requests === 0 ? 0 : failures / requests };
}
