import type { ReleaseMetric } from "./release-metric.ts";
import { defaultMetrics } from "./release-metric.ts";

/** How traffic comes to the candidate. Weights and shares are percent, 0 to 100, with two decimals that count. */
export type ReleaseStrategy = CanaryStrategy | BlueGreenStrategy | AbStrategy | ShadowStrategy;

export const STRATEGY_KINDS = ["canary", "blue_green", "ab", "shadow"] as const;
export type StrategyKind = (typeof STRATEGY_KINDS)[number];

/** A growing share of the requests: `stepWeight`, twice that … up to `maxWeight`, or the weights of `stepWeights`. */
export interface CanaryStrategy {
  readonly kind: "canary";
  /** Null where `stepWeights` lists them. */
  readonly stepWeight: number | null;
  /** Weight after which the candidate is promoted; null = 100, or the last of `stepWeights`. */
  readonly maxWeight: number | null;
  readonly stepWeights: readonly number[] | null;
}

/** No caller gets the candidate's answers until it has passed `iterations` times; then all of them do. */
export interface BlueGreenStrategy {
  readonly kind: "blue_green";
  readonly iterations: number;
}

/** Requests that match any of `matches` go to the candidate, for as many passes as `iterations`. */
export interface AbStrategy {
  readonly kind: "ab";
  readonly matches: readonly TrafficMatch[];
  readonly iterations: number;
}

/** The candidate answers a share of the requests too; its answers are compared and thrown away. */
export interface ShadowStrategy {
  readonly kind: "shadow";
  /** Percent of the requests that are mirrored. */
  readonly share: number;
  readonly iterations: number;
}

export const MATCH_SOURCES = ["header", "cookie", "key"] as const;

/** A way to recognise requests. There are no regular expressions: they would run on every request, and some never end. */
export interface TrafficMatch {
  /** `key` is the id of the API key, never the key itself. */
  readonly source: (typeof MATCH_SOURCES)[number];
  /** Name of the header (in any case) or of the cookie; null for `key`. */
  readonly name: string | null;
  readonly test: "exact" | "prefix" | "suffix";
  readonly value: string;
}

/**
 * What keeps a caller on one version. `key`: the API key, or the address of callers without one · `subject`: the value
 * of a header, e.g. a user's id · `request`: nothing, every request is a new draw.
 */
export type StickyBy =
  | { readonly kind: "key" }
  | { readonly kind: "subject"; readonly header: string }
  | { readonly kind: "request" };

/** Kinds of hooks, by Flagger's names (`spec.analysis.webhooks[].type` of flagger.app/v1beta1). */
export const HOOK_TYPES = [
  /** Before anything: a refusal makes the release wait, and is asked again. */
  "confirm-rollout",
  /** When the candidate is ready and has no traffic yet: a refusal counts as a failed check. */
  "pre-rollout",
  /** At each check, before the metrics: a refusal counts as a failed check. */
  "rollout",
  /** Before the weight rises: a refusal holds it, uncounted. */
  "confirm-traffic-increase",
  /** Before the candidate gets everything: a refusal makes the release wait, and is asked again. */
  "confirm-promotion",
  /** After the end, good or bad: the answer is logged only. */
  "post-rollout",
  /** At each check, in every phase: a good answer means «roll back now». */
  "rollback",
  /** Told of every decision: the answer is logged only. Never asked for by `decide`. */
  "event",
] as const;
export type HookType = (typeof HOOK_TYPES)[number];

/** A web address that is asked or told. Any 2xx answer is a good one. */
export interface ReleaseHook {
  readonly name: string;
  readonly type: HookType;
  readonly url: string;
  /** For one attempt. */
  readonly timeoutMs: number;
  /** Further attempts after the first; the waits between them are 1 s, 2 s, 4 s … */
  readonly retries: number;
}

/** What happens when too few requests come to decide by. */
export type ReplayRule =
  | { readonly kind: "off" }
  | {
      readonly kind: "sample";
      /** Checks in a row without a verdict after which stored, masked texts are replayed to both versions; ≥ 1. */
      readonly afterInconclusive: number;
      /** Texts per replay at most. */
      readonly maxTexts: number;
    };

/** How a version goes live. Immutable; `findPlanProblems` says whether it can work. */
export interface ReleasePlan {
  readonly model: string;
  /** Version that wants to go live. The stable version is the one that serves when the release starts. */
  readonly candidate: string;
  readonly strategy: ReleaseStrategy;
  /** Time between two checks. */
  readonly intervalMs: number;
  /** Time that the candidate has to load and warm up. */
  readonly readyWithinMs: number;
  /** Failed checks in the whole run, in a row or not; the one that reaches this number rolls back. */
  readonly maxFailures: number;
  /** Failed checks in a row; the one that reaches this number rolls back. */
  readonly maxConsecutiveFailures: number;
  /** Checks without a verdict in a row; the one that reaches this number pauses the release for a person. */
  readonly maxInconclusive: number;
  /** Samples of the candidate below which no check passes. */
  readonly minSamples: number;
  /** Chance that a candidate as good as stable fails any comparison in the whole run, however often is looked; 0 to 1. */
  readonly falseAlarmRate: number;
  readonly stickyBy: StickyBy;
  /** Percent of stable's requests that the candidate answers too, unseen, to be compared. A shadow has its own `share`. */
  readonly mirrorShare: number;
  /** Whether the last passed check promotes, or waits for a person. */
  readonly promotion: "automatic" | "manual";
  readonly metrics: readonly ReleaseMetric[];
  readonly hooks: readonly ReleaseHook[];
  readonly replay: ReplayRule;
}

/** What has to be said in any case, and what `defaultMetrics` wants to know. */
export interface PlanBasics {
  readonly model: string;
  readonly candidate: string;
  readonly strategy: ReleaseStrategy;
  /** Whether the model gives labels, so that they can be compared. */
  readonly hasLabels: boolean;
  /** Set of labelled texts that the candidate must answer well; null = none. */
  readonly gateSet: string | null;
}

/** Canary steps of 5 % up to 50 %, by the numbers of Flagger's own introduction. */
export const DEFAULT_STRATEGY: CanaryStrategy = {
  kind: "canary",
  stepWeight: 5,
  maxWeight: 50,
  stepWeights: null,
};

/** A whole plan of the least that can be said. Whatever the caller chose replaces its fields. */
export function createPlan(basics: PlanBasics): ReleasePlan {
  const { model, candidate, strategy } = basics;
  return {
    model,
    candidate,
    strategy,
    intervalMs: 60_000,
    readyWithinMs: 600_000,
    maxFailures: 5,
    maxConsecutiveFailures: 3,
    maxInconclusive: 10,
    minSamples: 100,
    falseAlarmRate: 0.05,
    stickyBy: { kind: "key" },
    mirrorShare: strategy.kind === "shadow" ? 0 : strategy.kind === "blue_green" ? 100 : 10,
    promotion: strategy.kind === "shadow" ? "manual" : "automatic",
    metrics: defaultMetrics({ ...basics, strategy: strategy.kind }),
    hooks: [],
    replay: { kind: "sample", afterInconclusive: 3, maxTexts: 500 },
  };
}

/** Percent of stable's requests that the candidate answers too, whatever the strategy. */
export function mirrorShareOf({ strategy, mirrorShare }: ReleasePlan): number {
  return strategy.kind === "shadow" ? strategy.share : mirrorShare;
}

/**
 * Weights of the candidate, step by step; for strategies without weights as many zeros as there are iterations. 100 is
 * no step: stable would see nothing that the candidate could be compared with. It is the promotion, which is watched too.
 */
export function listStepWeights(strategy: ReleaseStrategy): readonly number[] {
  if (strategy.kind !== "canary") return new Array<number>(strategy.iterations).fill(0);
  const { stepWeight, stepWeights } = strategy;
  const maxWeight = strategy.maxWeight ?? 100;
  if (stepWeights !== null) {
    return stepWeights.filter((weight) => weight <= maxWeight && weight < 100);
  }
  // Hundredths: 0.1 added ten times is not 1 in floating point.
  const step = Math.round((stepWeight ?? 0) * 100);
  const top = Math.round(maxWeight * 100);
  const weights: number[] = [];
  for (let weight = step; weight < top && step > 0; weight += step) weights.push(weight / 100);
  return maxWeight < 100 ? [...weights, maxWeight] : weights;
}

/** Whether any hook of this type is to be asked. */
export function hasHook(plan: ReleasePlan, type: HookType): boolean {
  return plan.hooks.some((hook) => hook.type === type);
}
