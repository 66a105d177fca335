import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../core/errors.ts";
import type { ReleaseEvent } from "../../../core/releases/decision.ts";
import type { ReleasePlan } from "../../../core/releases/release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "../../../core/releases/release-plan.ts";
import { createReleaseState } from "../../../core/releases/release-state.ts";
import { decodePlan } from "./decode-plan.ts";
import { decodeReleaseRange } from "./decode-range.ts";
import { encodeHistory, encodeRelease, encodeReleaseList } from "./encode-release.ts";
import { alignColumns, renderRelease } from "./render-release.ts";

const LEAST = { model: "reviews", candidate: "2.0.0" };
const DEFAULT = createPlan({
  ...LEAST,
  strategy: DEFAULT_STRATEGY,
  hasLabels: true,
  gateSet: null,
});
const STATE = createReleaseState({ id: "rel_1", stable: "1.0.0", ...LEAST }, 1_000);
const decode = (body: unknown) => decodePlan(body, () => true);

/** The fields that a refusal names. */
function refusedFields(body: unknown): readonly string[] {
  try {
    decode(body);
  } catch (thrown) {
    if (thrown instanceof SluiceError) return thrown.details.map(({ field }) => field);
    throw thrown;
  }
  return [];
}

describe("a plan", () => {
  test("of the least that can be said is the default one", () => {
    expect(decode(LEAST)).toEqual(DEFAULT);
  });

  const plans: readonly Partial<ReleasePlan>[] = [
    {},
    { strategy: { kind: "canary", stepWeight: null, maxWeight: 40, stepWeights: [1, 10, 40] } },
    { strategy: { kind: "blue_green", iterations: 3 }, mirrorShare: 100 },
    { strategy: { kind: "shadow", share: 25, iterations: 4 }, mirrorShare: 0, promotion: "manual" },
    {
      strategy: {
        kind: "ab",
        iterations: 2,
        matches: [{ source: "header", name: "x-team", test: "prefix", value: "b" }],
      },
    },
    { stickyBy: { kind: "subject", header: "x-user" }, replay: { kind: "off" } },
    {
      hooks: [
        { name: "gate", type: "rollout", url: "https://a.example/x", timeoutMs: 9, retries: 0 },
      ],
    },
    {
      metrics: [
        { name: "a", isDecisive: true, kind: "success_rate", minRatio: 0.9, maxDrop: null },
        { name: "b", isDecisive: false, kind: "score_distance", maxDistance: 0.3 },
      ],
    },
  ];

  test.each(plans)("is read as it was shown: %j", (changes) => {
    const plan = { ...DEFAULT, ...changes };
    const { plan: shown } = JSON.parse(encodeRelease(plan, STATE, null));
    expect(decode(shown)).toEqual(plan);
  });

  test.each([
    [[], "body"],
    [{ ...LEAST, interval_ms: "fast" }, "interval_ms"],
    [{ ...LEAST, intervalMs: 1 }, "intervalMs"],
    [{ ...LEAST, strategy: { kind: "yolo" } }, "strategy.kind"],
    [{ ...LEAST, strategy: { kind: "canary", step_weight: 150 } }, "strategy.step_weight"],
    [{ ...LEAST, metrics: [{ name: "x", kind: "guess" }] }, "metrics[0].kind"],
    [{ ...LEAST, metrics: [{ name: "x", kind: "label_disagreement" }] }, "metrics[0].max_ratio"],
    [{ ...LEAST, hooks: [{ name: "x", type: "rollout", url: "ftp://x" }] }, "hooks[0].url"],
    [{ candidate: "2.0.0" }, "model"],
  ])("%j is refused by its field", (body, field) => {
    expect(refusedFields(body)).toContain(field);
  });
});

describe("a release", () => {
  test("is shown with its times as dates and its checks", () => {
    const shown = JSON.parse(encodeRelease(DEFAULT, STATE, null));
    expect(shown).toMatchObject({
      ...{ id: "rel_1", phase: "initializing", steps: 10, checks: [], finished_at: null },
      started_at: "1970-01-01T00:00:01.000Z",
      plan: { interval_ms: 60_000 },
    });
  });

  test("is a table for people", () => {
    const table = renderRelease(
      { plan: DEFAULT, state: STATE, analysis: null, revision: 1 },
      61_000,
    );
    expect(table).toContain("\nversions           1.0.0 → 2.0.0\n");
    expect(
      alignColumns([
        ["a", "b"],
        ["→→", "c"],
      ]),
    ).toBe("a   b\n→→  c\n");
  });

  test("of a list is followed by the next page where there may be one", () => {
    const stored = { plan: DEFAULT, state: STATE, analysis: null, revision: 1 };
    expect(JSON.parse(encodeReleaseList([stored], 1)).next).toBe("rel_1");
    expect(JSON.parse(encodeReleaseList([stored], 2)).next).toBeNull();
  });

  test("has decisions with the time at which they were made", () => {
    const event = { type: "Normal", action: "start", message: "It begins.", atMs: 2000 };
    const { events } = JSON.parse(encodeHistory([event as unknown as ReleaseEvent]));
    expect(events).toEqual([
      { type: "Normal", action: "start", message: "It begins.", at: "1970-01-01T00:00:02.000Z" },
    ]);
  });
});

test.each([["0"], ["1001"], ["x"], ["1.5"], [""]])("a limit of %j is refused", (limit) => {
  expect(() => decodeReleaseRange({ limit })).toThrow(/limit/);
});
