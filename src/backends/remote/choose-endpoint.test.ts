import { expect, test } from "vitest";
import type { EndpointSnapshot } from "./choose-endpoint.ts";
import { chooseEndpoint } from "./choose-endpoint.ts";
import type { EndpointState } from "./endpoint-health.ts";

function endpoint(
  inFlight: number,
  state: EndpointState = "healthy",
  wantsTrial = false,
): EndpointSnapshot {
  return { inFlight, state, wantsTrial };
}

const NONE_TRIED: ReadonlyMap<number, number> = new Map();

test("the endpoint with the least in flight is used", () => {
  expect(chooseEndpoint([endpoint(3), endpoint(1), endpoint(2)], NONE_TRIED, 0, 2)).toBe(1);
});

test("equals take turns", () => {
  const equals = [endpoint(1), endpoint(1), endpoint(1)];
  const chosen = [0, 1, 2, 3].map((turn) => chooseEndpoint(equals, NONE_TRIED, turn % 3, 2));
  expect(chosen).toEqual([0, 1, 2, 0]);
});

test("one that had the request is not used while another is there, however busy", () => {
  expect(chooseEndpoint([endpoint(0), endpoint(30)], new Map([[0, 1]]), 0, 2)).toBe(1);
});

test("one that had the request gets it again when no other is there, as often as allowed", () => {
  const endpoints = [endpoint(0), endpoint(0, "ejected")];
  expect(chooseEndpoint(endpoints, new Map([[0, 1]]), 0, 2)).toBe(0);
  expect(chooseEndpoint(endpoints, new Map([[0, 2]]), 0, 2)).toBeUndefined();
});

test("an ejected endpoint is never used, and one that is probed only as a trial", () => {
  const out = [endpoint(0, "ejected"), endpoint(0, "probing")];
  expect(chooseEndpoint(out, NONE_TRIED, 0, 2)).toBeUndefined();
  expect(chooseEndpoint([...out, endpoint(0, "probing", true)], NONE_TRIED, 0, 2)).toBe(2);
});

test("an endpoint that needs a trial goes before healthy ones, once per request", () => {
  const endpoints = [endpoint(0), endpoint(0, "probing", true)];
  expect(chooseEndpoint(endpoints, NONE_TRIED, 0, 2)).toBe(1);
  expect(chooseEndpoint(endpoints, new Map([[1, 1]]), 0, 2)).toBe(0);
});
