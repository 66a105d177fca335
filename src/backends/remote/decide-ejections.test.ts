import { expect, test } from "vitest";
import { decideEjections } from "./decide-ejections.ts";
import type { EndpointHealth } from "./endpoint-health.ts";
import { createEndpointHealth } from "./endpoint-health.ts";
import { REMOTE_POOL_DEFAULTS } from "./remote-pool-options.ts";

/** An endpoint with `failures` of `requests` failed, the last `inARow` of them in a row. */
function health(requests: number, failures: number, inARow: number): EndpointHealth {
  return {
    ...createEndpointHealth(0),
    failuresInARow: inARow,
    current: { requests, failures },
  };
}

const EJECTED: EndpointHealth = { ...createEndpointHealth(0), state: "ejected" };

function decide(...pool: EndpointHealth[]): readonly number[] {
  return decideEjections(pool, 0, REMOTE_POOL_DEFAULTS);
}

test("an endpoint that fails several times in a row is ejected", () => {
  expect(decide(health(10, 0, 0), health(3, 3, 3))).toEqual([1]);
  expect(decide(health(10, 0, 0), health(3, 2, 2))).toEqual([]);
});

test("any number of dead endpoints is ejected beside one that does well", () => {
  expect(decide(health(3, 3, 3), health(50, 3, 3), health(20, 0, 0))).toEqual([0, 1]);
});

test("while the others are as bad, only the set share is ejected", () => {
  expect(decide(health(8, 4, 3), health(8, 4, 3), health(8, 4, 1), health(8, 4, 0))).toEqual([
    0, 1,
  ]);
  expect(decide(EJECTED, EJECTED, health(8, 4, 3), health(8, 4, 1))).toEqual([]);
});

test("when every endpoint that is left fails in a row, all go and the circuit is open", () => {
  expect(decide(EJECTED, health(9, 5, 3), health(9, 9, 4))).toEqual([1, 2]);
  expect(decide(health(3, 3, 3))).toEqual([0]);
});

test("an endpoint that fails often is ejected when another fails less than half as often", () => {
  expect(decide(health(40, 24, 0), health(40, 4, 0))).toEqual([0]);
  expect(decide(health(40, 24, 0), health(40, 22, 0))).toEqual([]);
  expect(decide(health(10, 9, 0), health(40, 4, 0))).toEqual([]);
  expect(decide(health(40, 24, 0), health(3, 0, 0))).toEqual([]);
});
