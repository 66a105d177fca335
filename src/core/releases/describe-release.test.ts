import { expect, test } from "vitest";
import type { CheckResult } from "./check-result.ts";
import { CHECK_COLUMNS, describeRelease, renderDuration } from "./describe-release.ts";
import { createPlan, DEFAULT_STRATEGY } from "./release-plan.ts";
import { createReleaseState } from "./release-state.ts";

const plan = createPlan({
  model: "spam",
  candidate: "2.0.0",
  strategy: DEFAULT_STRATEGY,
  hasLabels: true,
  gateSet: null,
});
const release = { id: "rel_1", model: "spam", stable: "1.0.0", candidate: "2.0.0" };
const state = {
  ...createReleaseState(release, 0),
  phase: "progressing",
  step: 2,
  weight: 10,
  failures: 1,
  checkedAtMs: 60_000,
} as const;

const check: CheckResult = {
  name: "success-rate",
  kind: "success_rate",
  isDecisive: true,
  outcome: "pass",
  value: 0.99812,
  lower: 0.9951,
  upper: 0.9994,
  stableValue: 1,
  bound: 0.99,
  samples: 5319,
  missingSamples: 0,
  reason: "99.81 % of 5319, at least 99 %",
};

test("a release in progress shows where it stands, and its numbers in the units of people", () => {
  const unknown: CheckResult = {
    ...check,
    kind: "latency",
    value: 12.345,
    upper: null,
    lower: 10,
    stableValue: null,
    bound: 500,
  };
  const checks = [check, { ...unknown, isDecisive: false }];
  const table = describeRelease(
    plan,
    state,
    { checks, outcome: "pass", missingSamples: 0 },
    80_000,
  );
  expect(Object.fromEntries(table.facts)).toMatchObject({
    versions: "1.0.0 → 2.0.0",
    phase: "progressing",
    step: "2 of 10",
    traffic: "10 % of the requests",
    "failed checks": "1 of 5",
    "next check": "in 40 s",
  });
  expect(table.checks).toEqual([
    [
      "success-rate",
      "pass",
      "99.81 % (99.51 % to 99.94 %)",
      "100 %",
      "99 %",
      "5319",
      "99.81 % of 5319, at least 99 %",
    ],
    [
      "success-rate",
      "pass (not decisive)",
      "12.3 ms (10 ms to –)",
      "–",
      "500",
      "5319",
      check.reason,
    ],
  ]);
  for (const row of table.checks) expect(row).toHaveLength(CHECK_COLUMNS.length);
});

test("a paused release shows why, and announces no check", () => {
  const paused = { ...state, phase: "paused", pausedFrom: "progressing", reason: "quiet" } as const;
  const facts = Object.fromEntries(describeRelease(plan, paused, null, 0).facts);
  expect(facts).toMatchObject({ phase: "paused (was progressing)", reason: "quiet" });
  expect(facts).not.toHaveProperty("next check");
});

test.each([
  [0, "0 s"],
  [59_400, "59 s"],
  [60_000, "1 min"],
  [3_900_000, "1 h 5 min"],
  [90_061_000, "1 d 1 h"],
  [-5, "0 s"],
])("%i ms are %s", (ms, text) => {
  expect(renderDuration(ms)).toBe(text);
});
