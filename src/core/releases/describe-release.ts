import type { Analysis } from "./analyse.ts";
import type { CheckResult } from "./check-result.ts";
import { renderNumber, renderPercent } from "./check-result.ts";
import type { MetricRule } from "./release-metric.ts";
import { isFinishedPhase } from "./release-phase.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { listStepWeights, mirrorShareOf } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";

/** What a person wants to see of a release. All texts are ready to be shown; nothing is aligned yet. */
export interface ReleaseTable {
  /** Name and value, in the order in which they are shown. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  /** A row per check, the columns as in `CHECK_COLUMNS`. */
  readonly checks: readonly (readonly string[])[];
}

export const CHECK_COLUMNS = [
  "check",
  "outcome",
  "candidate",
  "stable",
  "bound",
  "samples",
  "reason",
] as const;

/** Rows for a status table. @param analysis the last one; null = none was made yet */
export function describeRelease(
  plan: ReleasePlan,
  state: ReleaseState,
  analysis: Analysis | null,
  nowMs: number,
): ReleaseTable {
  const { failures, consecutiveFailures, inconclusive } = state;
  const facts: [string, string][] = [
    ["model", state.model],
    ["versions", `${state.stable} → ${state.candidate}`],
    ["strategy", plan.strategy.kind],
    ["phase", describePhase(state)],
    ["step", `${state.step} of ${listStepWeights(plan.strategy).length}`],
    ["traffic", `${renderPercent(state.weight / 100)} of the requests`],
    ["mirrored", `${renderPercent(mirrorShareOf(plan) / 100)} of stable's requests`],
    ["failed checks", `${failures} of ${plan.maxFailures}`],
    ["failed in a row", `${consecutiveFailures} of ${plan.maxConsecutiveFailures}`],
    ["without a verdict", `${inconclusive} of ${plan.maxInconclusive} in a row`],
    ["running", renderDuration((state.finishedAtMs ?? nowMs) - state.startedAtMs)],
  ];
  if (!isFinishedPhase(state.phase) && state.phase !== "paused") {
    const inMs = state.checkedAtMs + plan.intervalMs - nowMs;
    facts.push(["next check", inMs > 0 ? `in ${renderDuration(inMs)}` : "now"]);
  }
  if (state.reason !== null) facts.push(["reason", state.reason]);
  return { facts, checks: (analysis?.checks ?? []).map(toRow) };
}

function describePhase({ phase, pausedFrom }: ReleaseState): string {
  return pausedFrom === null ? phase : `${phase} (was ${pausedFrom})`;
}

function toRow(check: CheckResult): string[] {
  const { name, kind, isDecisive, outcome, stableValue, bound, samples, reason } = check;
  return [
    name,
    isDecisive ? outcome : `${outcome} (not decisive)`,
    renderMeasured(check),
    renderValue(kind, stableValue),
    // Of latencies the bound may be milliseconds or a factor: the reason says which.
    kind === "latency" && bound !== null ? renderNumber(bound) : renderValue(kind, bound),
    `${samples}`,
    reason,
  ];
}

function renderMeasured({ kind, value, lower, upper }: CheckResult): string {
  const measured = renderValue(kind, value);
  if (lower === null && upper === null) return measured;
  return `${measured} (${renderValue(kind, lower)} to ${renderValue(kind, upper)})`;
}

function renderValue(kind: MetricRule["kind"], value: number | null): string {
  if (value === null) return "–";
  if (kind === "latency") return `${renderNumber(value)} ms`;
  const isPlain = kind === "stability_index" || kind === "score_distance" || kind === "query";
  return isPlain ? renderNumber(value) : renderPercent(value);
}

/** E.g. `1 h 5 min`, `40 s`: the two largest units. */
export function renderDuration(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}
