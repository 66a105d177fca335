import type { FieldProblem } from "../errors.ts";
import { findCountProblems, findHookProblems } from "./check-hooks.ts";
import { findMetricProblems } from "./check-metrics.ts";
import type { ReleasePlan, ReleaseStrategy, TrafficMatch } from "./release-plan.ts";
import { hasHook, MATCH_SOURCES, mirrorShareOf, STRATEGY_KINDS } from "./release-plan.ts";

/** Shortest time between two checks, and the longest. */
const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 24 * 3_600_000;
const MAX_STEPS = 1_000;
const MAX_ITEMS = 50;
const MAX_TIMES = 1_000_000;

/**
 * Everything because of which a plan cannot work, so that it is refused when it is made and not in the middle of a
 * release. Empty = it can work. Fields are named as in `ReleasePlan`. Holds for decoded plans whose kinds are unknown too.
 */
export function findPlanProblems(plan: ReleasePlan): FieldProblem[] {
  return [
    ...findNameProblems(plan),
    ...findStrategyProblems(plan.strategy),
    ...findLimitProblems(plan),
    ...findListProblems(plan),
    ...findSourceProblems(plan),
  ];
}

function findNameProblems({ model, candidate, stickyBy }: ReleasePlan): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (model === "") problems.push({ field: "model", problem: "must name a model" });
  if (candidate === "") problems.push({ field: "candidate", problem: "must name a version" });
  if (!["key", "subject", "request"].includes(stickyBy.kind)) {
    problems.push({ field: "stickyBy.kind", problem: "must be key, subject or request" });
  }
  if (stickyBy.kind === "subject" && !isToken(stickyBy.header)) {
    problems.push({ field: "stickyBy.header", problem: "must be the name of a header" });
  }
  return problems;
}

function findStrategyProblems(strategy: ReleaseStrategy): FieldProblem[] {
  switch (strategy.kind) {
    case "canary":
      return findWeightProblems(strategy);
    case "blue_green":
      return findCountProblems("strategy.iterations", strategy.iterations, MAX_STEPS);
    case "ab":
      return [
        ...findCountProblems("strategy.iterations", strategy.iterations, MAX_STEPS),
        ...findMatchProblems(strategy.matches),
      ];
    case "shadow":
      return [
        ...findCountProblems("strategy.iterations", strategy.iterations, MAX_STEPS),
        ...(isWeight(strategy.share) ? [] : [{ field: "strategy.share", problem: WEIGHT_RULE }]),
      ];
    default:
      return [{ field: "strategy.kind", problem: `must be one of ${STRATEGY_KINDS.join(", ")}` }];
  }
}

const WEIGHT_RULE = "must be above 0 and at most 100, in steps of 0.01";

const FIRST_STEP_RULE =
  "must be below 100, so that there is something to compare with; for one switch take blue_green";

function findWeightProblems(
  strategy: Extract<ReleaseStrategy, { kind: "canary" }>,
): FieldProblem[] {
  const { stepWeight, stepWeights, maxWeight } = strategy;
  const problems: FieldProblem[] = [];
  if (maxWeight !== null && !isWeight(maxWeight)) {
    problems.push({ field: "strategy.maxWeight", problem: WEIGHT_RULE });
  }
  if ((stepWeight === null) === (stepWeights === null)) {
    problems.push({
      field: "strategy.stepWeight",
      problem: "give either stepWeight or stepWeights, and not both",
    });
  } else if (stepWeight !== null) {
    problems.push(...findStepProblems(stepWeight, maxWeight ?? 100));
  } else if (stepWeights !== null) {
    problems.push(...findStepListProblems(stepWeights, maxWeight));
  }
  return problems;
}

function findStepProblems(stepWeight: number, maxWeight: number): FieldProblem[] {
  const field = "strategy.stepWeight";
  if (!isWeight(stepWeight)) return [{ field, problem: WEIGHT_RULE }];
  if (stepWeight === 100) return [{ field, problem: FIRST_STEP_RULE }];
  if (stepWeight > maxWeight) {
    return [{ field, problem: `must be at most maxWeight, which is ${maxWeight}` }];
  }
  if (maxWeight / stepWeight > MAX_STEPS) {
    return [{ field, problem: `makes more than ${MAX_STEPS} steps; choose a larger one` }];
  }
  return [];
}

function findStepListProblems(
  stepWeights: readonly number[],
  maxWeight: number | null,
): FieldProblem[] {
  const field = "strategy.stepWeights";
  if (stepWeights.length === 0 || stepWeights.length > MAX_STEPS) {
    return [{ field, problem: `must have 1 to ${MAX_STEPS} weights` }];
  }
  if (stepWeights[0] === 100) return [{ field: `${field}[0]`, problem: FIRST_STEP_RULE }];
  const problems: FieldProblem[] = [];
  for (const [at, weight] of stepWeights.entries()) {
    const before = stepWeights[at - 1] ?? 0;
    const problem = !isWeight(weight)
      ? WEIGHT_RULE
      : weight <= before
        ? `must be above the weight before it, which is ${before}`
        : null;
    if (problem !== null) problems.push({ field: `${field}[${at}]`, problem });
  }
  if (maxWeight !== null && stepWeights.at(-1) !== maxWeight) {
    problems.push({
      field: "strategy.maxWeight",
      problem: "must be the last of stepWeights, or be left out",
    });
  }
  return problems;
}

function findMatchProblems(matches: readonly TrafficMatch[]): FieldProblem[] {
  const field = "strategy.matches";
  if (matches.length === 0 || matches.length > MAX_ITEMS) {
    return [
      { field, problem: `must have 1 to ${MAX_ITEMS} entries, or nobody would get the candidate` },
    ];
  }
  return matches.flatMap(({ source, name, test, value }, at) => {
    const problems: FieldProblem[] = [];
    const add = (part: string, problem: string) =>
      problems.push({ field: `${field}[${at}].${part}`, problem });
    if (!MATCH_SOURCES.includes(source))
      add("source", `must be one of ${MATCH_SOURCES.join(", ")}`);
    else if (source === "key" && name !== null) add("name", "must be left out for key");
    else if (source !== "key" && (name === null || !isToken(name))) {
      add("name", `must be the name of a ${source}`);
    }
    if (!["exact", "prefix", "suffix"].includes(test)) {
      add("test", "must be exact, prefix or suffix");
    }
    if (value === "") add("value", "must not be empty");
    return problems;
  });
}

function findLimitProblems(plan: ReleasePlan): FieldProblem[] {
  const problems = [
    ...findCountProblems("maxFailures", plan.maxFailures, MAX_TIMES),
    ...findCountProblems("maxConsecutiveFailures", plan.maxConsecutiveFailures, MAX_TIMES),
    ...findCountProblems("maxInconclusive", plan.maxInconclusive, MAX_TIMES),
    ...findCountProblems("minSamples", plan.minSamples, 1e9),
  ];
  const { intervalMs, readyWithinMs, falseAlarmRate, mirrorShare, strategy } = plan;
  if (!(intervalMs >= MIN_INTERVAL_MS && intervalMs <= MAX_INTERVAL_MS)) {
    problems.push({
      field: "intervalMs",
      problem: `must be ${MIN_INTERVAL_MS} to ${MAX_INTERVAL_MS}`,
    });
  }
  if (!(readyWithinMs >= 1 && readyWithinMs <= MAX_INTERVAL_MS)) {
    problems.push({ field: "readyWithinMs", problem: `must be 1 to ${MAX_INTERVAL_MS}` });
  }
  if (plan.maxFailures >= 1 && plan.maxConsecutiveFailures > plan.maxFailures) {
    problems.push({
      field: "maxConsecutiveFailures",
      problem: `can never be reached: maxFailures is ${plan.maxFailures}`,
    });
  }
  if (!(falseAlarmRate > 0 && falseAlarmRate <= 0.5)) {
    problems.push({ field: "falseAlarmRate", problem: "must be above 0 and at most 0.5" });
  }
  if (mirrorShare !== 0 && !isWeight(mirrorShare)) {
    problems.push({ field: "mirrorShare", problem: `must be 0, or ${WEIGHT_RULE.slice(5)}` });
  } else if (strategy.kind === "shadow" && mirrorShare !== 0) {
    problems.push({ field: "mirrorShare", problem: "must be 0: a shadow has strategy.share" });
  }
  if (plan.promotion !== "automatic" && plan.promotion !== "manual") {
    problems.push({ field: "promotion", problem: "must be automatic or manual" });
  }
  return [...problems, ...findReplayProblems(plan)];
}

function findReplayProblems({ replay, maxInconclusive, minSamples }: ReleasePlan): FieldProblem[] {
  if (replay.kind === "off") return [];
  if (replay.kind !== "sample") return [{ field: "replay.kind", problem: "must be off or sample" }];
  const problems = [
    ...findCountProblems("replay.afterInconclusive", replay.afterInconclusive, MAX_TIMES),
    ...findCountProblems("replay.maxTexts", replay.maxTexts, 100_000),
  ];
  if (replay.maxTexts >= 1 && replay.maxTexts < minSamples) {
    problems.push({
      field: "replay.maxTexts",
      problem: `must be at least minSamples, which is ${minSamples}, or a replay would decide nothing`,
    });
  }
  if (maxInconclusive >= 1 && replay.afterInconclusive > maxInconclusive) {
    problems.push({
      field: "replay.afterInconclusive",
      problem: `would never come: the release pauses at maxInconclusive, which is ${maxInconclusive}`,
    });
  }
  return problems;
}

function findListProblems({ metrics, hooks, intervalMs }: ReleasePlan): FieldProblem[] {
  const problems = [...findMetricProblems(metrics)];
  if (metrics.length > MAX_ITEMS) {
    problems.push({ field: "metrics", problem: `must have at most ${MAX_ITEMS} entries` });
  }
  if (hooks.length > MAX_ITEMS) {
    problems.push({ field: "hooks", problem: `must have at most ${MAX_ITEMS} entries` });
  }
  return [...problems, ...findHookProblems(hooks, intervalMs)];
}

/** Metrics that compare answers of both versions to the same question. */
const ASKS_BOTH: ReadonlySet<string> = new Set(["label_disagreement", "output_disagreement"]);

/** A release that nothing is asked about, or that the candidate never sees a text in, would never end, or never be judged. */
function findSourceProblems(plan: ReleasePlan): FieldProblem[] {
  const { strategy, metrics } = plan;
  const decisive = metrics.filter(({ isDecisive }) => isDecisive);
  if (decisive.length === 0 && !hasHook(plan, "rollout")) {
    return [
      { field: "metrics", problem: "must have one that is decisive, unless a rollout hook judges" },
    ];
  }
  if (mirrorShareOf(plan) > 0 || plan.replay.kind === "sample") return [];
  const problem = "must be above 0, or replay must not be off";
  const { kind } = strategy;
  if (kind === "blue_green" && !hasHook(plan, "rollout")) {
    return [
      { field: "mirrorShare", problem: `${problem}: nobody would ask the candidate anything` },
    ];
  }
  if (decisive.some((metric) => ASKS_BOTH.has(metric.kind))) {
    return [
      { field: "mirrorShare", problem: `${problem}: no text would be asked of both versions` },
    ];
  }
  return [];
}

function isWeight(value: number): boolean {
  const hundredths = value * 100;
  return value > 0 && value <= 100 && Math.abs(hundredths - Math.round(hundredths)) < 1e-6;
}

/** A name of a header or cookie: RFC 9110, section 5.6.2. */
function isToken(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/.test(name);
}
