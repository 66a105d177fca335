import { describe, expect, test } from "vitest";
import type { ReleaseStrategy } from "./release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { createReleaseState } from "./release-state.ts";
import { toTrafficSplit } from "./to-traffic-split.ts";

const match = { source: "header", name: "x-beta", test: "exact", value: "1" } as const;
const BOTH = { stable: true, candidate: true };

function planOf(strategy: ReleaseStrategy) {
  return createPlan({ model: "m", candidate: "2", strategy, hasLabels: true, gateSet: null });
}

function stateOf(changes: Partial<ReleaseState>): ReleaseState {
  const state = createReleaseState({ id: "r", model: "m", stable: "1", candidate: "2" }, 0);
  return { ...state, phase: "progressing", step: 1, ...changes };
}

describe("a canary", () => {
  const plan = planOf(DEFAULT_STRATEGY);
  const state = stateOf({ weight: 15 });

  test.each([
    ["both are ready", BOTH, 85, 15],
    ["the candidate is not", { stable: true, candidate: false }, 100, 0],
    ["stable is not", { stable: false, candidate: true }, 0, 100],
    ["neither is", { stable: false, candidate: false }, 100, 0],
  ])("has its weight when %s", (_, ready, stableWeight, candidateWeight) => {
    expect(toTrafficSplit(plan, state, ready)).toMatchObject({ stableWeight, candidateWeight });
  });

  test("is compared with stable on copies of requests, once it has begun and both can answer", () => {
    expect(toTrafficSplit(plan, state, BOTH).mirrorShare).toBe(10);
    expect(toTrafficSplit(plan, { ...state, phase: "paused" }, BOTH).mirrorShare).toBe(10);
    expect(toTrafficSplit(plan, { ...state, step: 0 }, BOTH).mirrorShare).toBe(0);
    expect(toTrafficSplit(plan, { ...state, phase: "promoting" }, BOTH).mirrorShare).toBe(0);
    const alone = { stable: false, candidate: true };
    expect(toTrafficSplit(plan, state, alone).mirrorShare).toBe(0);
  });
});

test("an A/B release matches requests while it is under way, and not once everybody is back", () => {
  const plan = planOf({ kind: "ab", iterations: 2, matches: [match] });
  expect(toTrafficSplit(plan, stateOf({}), BOTH)).toMatchObject({
    matches: [match],
    candidateWeight: 0,
  });
  expect(toTrafficSplit(plan, stateOf({ step: 0 }), BOTH).matches).toEqual([]);
  expect(toTrafficSplit(plan, stateOf({ phase: "rolling_back" }), BOTH).matches).toEqual([]);
  const unready = { stable: true, candidate: false };
  expect(toTrafficSplit(plan, stateOf({}), unready).matches).toEqual([]);
});

test("blue/green copies everything and a shadow its share, and neither gives the candidate a request", () => {
  const blueGreen = planOf({ kind: "blue_green", iterations: 1 });
  const shadow = planOf({ kind: "shadow", share: 12.5, iterations: 1 });
  const nobody = { candidateWeight: 0, matches: [] };
  expect(toTrafficSplit(blueGreen, stateOf({}), BOTH)).toMatchObject({
    ...nobody,
    mirrorShare: 100,
  });
  expect(toTrafficSplit(shadow, stateOf({}), BOTH)).toMatchObject({ ...nobody, mirrorShare: 12.5 });
});
