import { expect, test } from "vitest";
import type { EndpointEvent, EndpointHealth, EndpointState } from "./endpoint-health.ts";
import {
  createEndpointHealth,
  readFailureRate,
  recordOutcome,
  stepEndpoint,
  toCoolDownMs,
} from "./endpoint-health.ts";

const LIMITS = { coolDownMs: 100, maxCoolDownMs: 1_000, rateWindowMs: 1_000 };

function inState(state: EndpointState): EndpointHealth {
  return { ...createEndpointHealth(0), state };
}

test("an endpoint takes the steps of the table and no others", () => {
  const states: EndpointState[] = ["healthy", "ejected", "probing"];
  const events: EndpointEvent[] = ["eject", "coolDownOver", "trialSucceeded", "trialFailed"];
  const legal: string[] = [];
  for (const state of states) {
    for (const event of events) {
      try {
        const next = stepEndpoint(inState(state), event, 0, LIMITS);
        legal.push(`${state} ${event} ${next.state}`);
      } catch (error) {
        expect(error).toMatchObject({ code: "internal" });
      }
    }
  }
  expect(legal).toEqual([
    "healthy eject ejected",
    "ejected coolDownOver probing",
    "probing trialSucceeded healthy",
    "probing trialFailed ejected",
  ]);
});

test("the cool-down doubles with every ejection up to its maximum, and never overflows", () => {
  const waits = [1, 2, 3, 4, 5, 10_000].map((ejections) => toCoolDownMs(ejections, LIMITS));
  expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test("a failed trial doubles the cool-down, and a longer healthy time forgets it", () => {
  let health = stepEndpoint(createEndpointHealth(0), "eject", 5_000, LIMITS);
  expect(health.retryAtMs).toBe(5_100);
  health = stepEndpoint(health, "coolDownOver", 5_100, LIMITS);
  health = stepEndpoint(health, "trialFailed", 5_110, LIMITS);
  expect(health.retryAtMs).toBe(5_310);
  health = stepEndpoint(health, "coolDownOver", 5_310, LIMITS);
  const back = stepEndpoint(health, "trialSucceeded", 5_320, LIMITS);
  expect(stepEndpoint(back, "eject", 5_400, LIMITS).retryAtMs).toBe(5_800);
  expect(stepEndpoint(back, "eject", 6_320, LIMITS).retryAtMs).toBe(6_420);
});

test("answers end a row of failures, failures that the request may have caused do not", () => {
  let health = createEndpointHealth(0);
  for (const outcome of ["failed", "failed", "refused"] as const) {
    health = recordOutcome(health, outcome, 0, LIMITS);
  }
  expect(health.failuresInARow).toBe(2);
  expect(readFailureRate(health, 0, LIMITS.rateWindowMs)).toEqual({ requests: 3, rate: 1 });
  expect(recordOutcome(health, "unknown", 0, LIMITS)).toBe(health);
  health = recordOutcome(health, "answered", 0, LIMITS);
  expect(health.failuresInARow).toBe(0);
  expect(readFailureRate(health, 0, LIMITS.rateWindowMs)).toEqual({ requests: 4, rate: 0.75 });
});

test("a rate forgets what is older than two windows", () => {
  let health = recordOutcome(createEndpointHealth(0), "failed", 500, LIMITS);
  health = recordOutcome(health, "answered", 1_200, LIMITS);
  expect(readFailureRate(health, 1_200, LIMITS.rateWindowMs)).toEqual({ requests: 2, rate: 0.5 });
  expect(readFailureRate(health, 2_300, LIMITS.rateWindowMs)).toEqual({ requests: 1, rate: 0 });
  expect(readFailureRate(health, 9_000, LIMITS.rateWindowMs)).toEqual({ requests: 0, rate: 0 });
});
