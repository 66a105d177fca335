import { describe, expect, test } from "vitest";
import { findPlanProblems } from "./check-plan.ts";
import type { ReleaseMetric } from "./release-metric.ts";
import type { ReleaseHook, ReleasePlan, ReleaseStrategy } from "./release-plan.ts";
import { createPlan, DEFAULT_STRATEGY, listStepWeights } from "./release-plan.ts";

function planOf(changes: Partial<ReleasePlan> = {}): ReleasePlan {
  const plan = createPlan({
    model: "spam",
    candidate: "2.0.0",
    strategy: changes.strategy ?? DEFAULT_STRATEGY,
    hasLabels: true,
    gateSet: null,
  });
  return { ...plan, ...changes };
}

const canary = (changes: object): ReleaseStrategy => ({ ...DEFAULT_STRATEGY, ...changes });
const listed = (stepWeights: number[], maxWeight: number | null = null): ReleaseStrategy =>
  canary({ stepWeight: null, maxWeight, stepWeights });
const hook = (changes: Partial<ReleaseHook> = {}): ReleaseHook => ({
  name: "load",
  type: "rollout",
  url: "https://hooks.example.com/load",
  timeoutMs: 10_000,
  retries: 0,
  ...changes,
});
const latency = (changes: object): ReleaseMetric[] => [
  {
    name: "latency",
    isDecisive: true,
    kind: "latency",
    quantile: 0.99,
    maxMs: 500,
    maxTimesStable: null,
    ignoreBelowMs: 0,
    ...changes,
  },
];
const rate = (changes: object): ReleaseMetric[] => [
  { name: "ok", isDecisive: true, kind: "success_rate", minRatio: 0.99, maxDrop: null, ...changes },
];
const query = (changes: object): ReleaseMetric[] => [
  { name: "q", isDecisive: true, kind: "query", query: "up", min: 1, max: null, ...changes },
];
const outputs = (changes: object): ReleaseMetric[] => [
  {
    ...{ name: "o", isDecisive: true, kind: "output_disagreement", output: null },
    ...{ compare: "values", tolerance: 0.01, maxRatio: 0.1, ...changes },
  },
];
const ab = (changes: object): ReleaseStrategy => ({
  kind: "ab",
  iterations: 3,
  matches: [{ source: "header", name: "x-beta", test: "exact", value: "1", ...changes }],
});

describe("a plan that can work has no problems", () => {
  const strategies: [string, ReleaseStrategy][] = [
    ["canary by default", DEFAULT_STRATEGY],
    ["canary of one step", canary({ stepWeight: 50, maxWeight: 50 })],
    ["canary of weights up to all", listed([10, 100])],
    ["canary of small steps", canary({ stepWeight: 0.25, maxWeight: 1 })],
    ["canary of listed weights", listed([1, 5, 25, 50], 50)],
    ["blue/green", { kind: "blue_green", iterations: 1 }],
    ["A/B by header", ab({})],
    ["A/B by key", ab({ source: "key", name: null })],
    ["shadow", { kind: "shadow", share: 12.5, iterations: 10 }],
  ];
  test.each(strategies)("%s", (_, strategy) => {
    expect(findPlanProblems(planOf({ strategy }))).toEqual([]);
  });

  test("hooks that answer in time", () => {
    const hooks = [hook({ retries: 2 }), hook({ type: "rollback" })];
    expect(findPlanProblems(planOf({ hooks }))).toEqual([]);
  });
});

describe("a plan that cannot work is refused with the field", () => {
  const refused: [string, Partial<ReleasePlan>, string][] = [
    ["no model", { model: "" }, "model"],
    ["no candidate", { candidate: "" }, "candidate"],
    ["a step of nothing", { strategy: canary({ stepWeight: 0 }) }, "strategy.stepWeight"],
    ["a step back", { strategy: canary({ stepWeight: -5 }) }, "strategy.stepWeight"],
    ["a step above 100", { strategy: canary({ stepWeight: 101 }) }, "strategy.stepWeight"],
    [
      "one step to everything",
      { strategy: canary({ stepWeight: 100, maxWeight: null }) },
      "strategy.stepWeight",
    ],
    ["everything at first", { strategy: listed([100]) }, "strategy.stepWeights[0]"],
    ["a step finer than 0.01", { strategy: canary({ stepWeight: 0.005 }) }, "strategy.stepWeight"],
    [
      "a step that is no number",
      { strategy: canary({ stepWeight: Number.NaN }) },
      "strategy.stepWeight",
    ],
    ["a step above the maximum", { strategy: canary({ stepWeight: 60 }) }, "strategy.stepWeight"],
    ["steps without end", { strategy: canary({ stepWeight: 0.01 }) }, "strategy.stepWeight"],
    ["neither step nor steps", { strategy: canary({ stepWeight: null }) }, "strategy.stepWeight"],
    ["step and steps", { strategy: canary({ stepWeights: [5] }) }, "strategy.stepWeight"],
    ["a maximum above 100", { strategy: canary({ maxWeight: 150 }) }, "strategy.maxWeight"],
    ["no weights", { strategy: listed([]) }, "strategy.stepWeights"],
    ["weights that fall", { strategy: listed([10, 5]) }, "strategy.stepWeights[1]"],
    ["weights that stand still", { strategy: listed([5, 5, 10]) }, "strategy.stepWeights[1]"],
    ["a weight above 100", { strategy: listed([5, 120]) }, "strategy.stepWeights[1]"],
    ["a maximum that no step reaches", { strategy: listed([5, 40], 50) }, "strategy.maxWeight"],
    ["no iterations", { strategy: { kind: "blue_green", iterations: 0 } }, "strategy.iterations"],
    [
      "half an iteration",
      { strategy: { kind: "blue_green", iterations: 1.5 } },
      "strategy.iterations",
    ],
    [
      "a shadow of nothing",
      { strategy: { kind: "shadow", share: 0, iterations: 1 } },
      "strategy.share",
    ],
    [
      "nobody to match",
      { strategy: { kind: "ab", iterations: 1, matches: [] } },
      "strategy.matches",
    ],
    ["a header without a name", { strategy: ab({ name: null }) }, "strategy.matches[0].name"],
    [
      "a header with a wrong name",
      { strategy: ab({ name: "x beta" }) },
      "strategy.matches[0].name",
    ],
    ["a key with a name", { strategy: ab({ source: "key" }) }, "strategy.matches[0].name"],
    ["an empty value", { strategy: ab({ value: "" }) }, "strategy.matches[0].value"],
    ["an unknown test", { strategy: ab({ test: "regex" }) }, "strategy.matches[0].test"],
    ["an unknown source", { strategy: ab({ source: "query" }) }, "strategy.matches[0].source"],
    ["no interval", { intervalMs: 0 }, "intervalMs"],
    ["an interval that is no number", { intervalMs: Number.NaN }, "intervalMs"],
    ["no time to load", { readyWithinMs: 0 }, "readyWithinMs"],
    ["no failures to count", { maxFailures: 0 }, "maxFailures"],
    [
      "more in a row than in all",
      { maxFailures: 2, maxConsecutiveFailures: 3 },
      "maxConsecutiveFailures",
    ],
    ["no patience", { maxInconclusive: 0 }, "maxInconclusive"],
    ["no samples", { minSamples: 0 }, "minSamples"],
    ["alarms at every look", { falseAlarmRate: 1 }, "falseAlarmRate"],
    ["no alarms ever", { falseAlarmRate: 0 }, "falseAlarmRate"],
    ["a mirror above 100", { mirrorShare: 200 }, "mirrorShare"],
    [
      "a subject without a header",
      { stickyBy: { kind: "subject", header: "" } },
      "stickyBy.header",
    ],
    ["a replay after the pause", { maxInconclusive: 2 }, "replay.afterInconclusive"],
    ["a replay of too few to decide", { minSamples: 600 }, "replay.maxTexts"],
    [
      "a replay of nothing",
      { replay: { kind: "sample", afterInconclusive: 1, maxTexts: 0 } },
      "replay.maxTexts",
    ],
    ["a hook without a host", { hooks: [hook({ url: "load" })] }, "hooks[0].url"],
    [
      "a hook slower than the interval",
      { hooks: [hook({ timeoutMs: 60_000 })] },
      "hooks[0].timeoutMs",
    ],
    ["a hook whose retries outlast it", { hooks: [hook({ retries: 5 })] }, "hooks[0].timeoutMs"],
    [
      "hooks that are too slow together",
      { hooks: [hook({ timeoutMs: 30_000 }), hook({ type: "rollback", timeoutMs: 30_000 })] },
      "hooks",
    ],
    ["a negative retry", { hooks: [hook({ retries: -1 })] }, "hooks[0].retries"],
    ["nothing to judge by", { metrics: [] }, "metrics"],
    ["nothing decisive", { metrics: latency({ isDecisive: false }) }, "metrics"],
    ["a metric without a name", { metrics: latency({ name: "" }) }, "metrics[0].name"],
    ["a metric twice", { metrics: [...rate({}), ...rate({})] }, "metrics[1].name"],
    ["a rate without a bound", { metrics: rate({ minRatio: null }) }, "metrics[0].minRatio"],
    ["a rate in percent", { metrics: rate({ minRatio: 99 }) }, "metrics[0].minRatio"],
    ["a drop of everything", { metrics: rate({ maxDrop: 1 }) }, "metrics[0].maxDrop"],
    ["a latency without a bound", { metrics: latency({ maxMs: null }) }, "metrics[0].maxMs"],
    ["a quantile in percent", { metrics: latency({ quantile: 99 }) }, "metrics[0].quantile"],
    [
      "a latency below stable's",
      { metrics: latency({ maxTimesStable: 0.5 }) },
      "metrics[0].maxTimesStable",
    ],
    ["a query without a bound", { metrics: query({ min: null }) }, "metrics[0].min"],
    ["a query without a query", { metrics: query({ query: " " }) }, "metrics[0].query"],
    ["bounds that cross", { metrics: query({ max: 0 }) }, "metrics[0].max"],
    ["outputs that may all differ", { metrics: outputs({ maxRatio: 1 }) }, "metrics[0].maxRatio"],
    ["a tolerance in percent", { metrics: outputs({ tolerance: 5 }) }, "metrics[0].tolerance"],
    ["an unknown comparison", { metrics: outputs({ compare: "hue" }) }, "metrics[0].compare"],
    ["the top of no output", { metrics: outputs({ compare: "top" }) }, "metrics[0].output"],
    ["an unknown metric", { metrics: latency({ kind: "vibes" }) }, "metrics[0].kind"],
    [
      "a candidate that nobody asks anything",
      { strategy: { kind: "blue_green", iterations: 3 }, mirrorShare: 0, replay: { kind: "off" } },
      "mirrorShare",
    ],
    [
      "texts that are asked of one version only",
      { mirrorShare: 0, replay: { kind: "off" } },
      "mirrorShare",
    ],
    [
      "outputs of one version only",
      { metrics: outputs({}), mirrorShare: 0, replay: { kind: "off" } },
      "mirrorShare",
    ],
  ];
  test.each(refused)("%s", (_, changes, field) => {
    expect(findPlanProblems(planOf(changes)).map((problem) => problem.field)).toEqual([field]);
  });

  test("kinds that nobody knows", () => {
    const strategy: unknown = { kind: "big_bang" };
    const hooks: unknown = [hook({ type: "load" as never })];
    const plan = { ...planOf(), strategy, hooks } as ReleasePlan;
    expect(findPlanProblems(plan).map(({ field }) => field)).toEqual([
      "strategy.kind",
      "hooks[0].type",
    ]);
  });

  test("all problems at once", () => {
    const plan = planOf({
      intervalMs: -1,
      maxFailures: 0,
      maxConsecutiveFailures: 0,
      minSamples: 0,
    });
    expect(findPlanProblems(plan)).toHaveLength(4);
  });
});

describe("the steps of a strategy", () => {
  const steps: [string, ReleaseStrategy, number[]][] = [
    ["rise by the step", canary({ stepWeight: 10, maxWeight: 30 }), [10, 20, 30]],
    ["end at the maximum", canary({ stepWeight: 20, maxWeight: 50 }), [20, 40, 50]],
    [
      "end before 100, which is the promotion",
      canary({ stepWeight: 40, maxWeight: null }),
      [40, 80],
    ],
    ["leave out a listed 100", listed([10, 100]), [10]],
    ["do not drift", canary({ stepWeight: 0.1, maxWeight: 0.3 }), [0.1, 0.2, 0.3]],
    ["are those listed", listed([1, 7, 20]), [1, 7, 20]],
    ["have no weight in blue/green", { kind: "blue_green", iterations: 2 }, [0, 0]],
    ["have no weight in a shadow", { kind: "shadow", share: 5, iterations: 1 }, [0]],
  ];
  test.each(steps)("%s", (_, strategy, weights) => {
    expect(listStepWeights(strategy)).toEqual(weights);
  });
});
