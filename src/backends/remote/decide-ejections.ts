import type { EndpointHealth } from "./endpoint-health.ts";
import { readFailureRate } from "./endpoint-health.ts";
import type { RemotePoolLimits } from "./remote-pool-options.ts";

type EjectionLimits = Pick<
  RemotePoolLimits,
  | "ejectAfterFailures"
  | "ejectAtFailureRate"
  | "minRateRequests"
  | "rateWindowMs"
  | "maxEjectedShare"
>;

interface Candidate {
  readonly index: number;
  readonly rate: number;
  readonly requests: number;
  readonly failsInARow: boolean;
}

/** Another endpoint is clearly better when it fails less than this times as often. */
const CLEARLY_BETTER = 0.5;

/**
 * Which endpoints should get no more requests, as indices into the snapshot. Pure.
 *
 * One that fails several times in a row, or one that fails often while another does clearly better. While the others
 * are as bad, ejecting would only send their share to the next one, so no more than `maxEjectedShare` go. When every
 * endpoint that is left fails several times in a row, all go: there is nothing to send requests to, and refusing them
 * at once costs callers less than waiting for failures. That is the open circuit.
 */
export function decideEjections(
  pool: readonly EndpointHealth[],
  nowMs: number,
  limits: EjectionLimits,
): readonly number[] {
  const left: Candidate[] = [];
  for (const [index, health] of pool.entries()) {
    if (health.state !== "healthy") continue;
    const failsInARow = health.failuresInARow >= limits.ejectAfterFailures;
    left.push({ index, failsInARow, ...readFailureRate(health, nowMs, limits.rateWindowMs) });
  }
  if (left.every(({ failsInARow }) => failsInARow)) return left.map(({ index }) => index);
  const room = Math.floor(limits.maxEjectedShare * pool.length);
  let ejected = pool.length - left.length;
  const decided: number[] = [];
  for (const candidate of left) {
    if (!isEjected(candidate, left, ejected < room, limits)) continue;
    decided.push(candidate.index);
    ejected++;
  }
  return decided;
}

function isEjected(
  candidate: Candidate,
  left: readonly Candidate[],
  hasRoom: boolean,
  limits: EjectionLimits,
): boolean {
  const { failsInARow, rate, requests } = candidate;
  if (failsInARow) return hasRoom || hasClearlyBetter(candidate, left, 0);
  if (requests < limits.minRateRequests || rate < limits.ejectAtFailureRate) return false;
  return hasClearlyBetter(candidate, left, limits.minRateRequests);
}

/** Whether somebody else answers where this one does not. Those that are about to go themselves do not count. */
function hasClearlyBetter(
  candidate: Candidate,
  left: readonly Candidate[],
  minRequests: number,
): boolean {
  return left.some(
    ({ failsInARow, rate, requests }) =>
      !failsInARow && requests >= minRequests && rate < CLEARLY_BETTER * candidate.rate,
  );
}
