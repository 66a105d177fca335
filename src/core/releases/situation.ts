import type { Analysis } from "./analyse.ts";
import type { Decision, DecisionInputs, HookAnswer, ReleaseAction } from "./decision.ts";
import { toDecision } from "./decision.ts";
import { isPausable } from "./release-phase.ts";
import type { HookType, ReleasePlan } from "./release-plan.ts";
import { hasHook } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { beginWindow, enterPhase } from "./release-state.ts";

/** Everything that a decision is made of, and the moves that are possible from anywhere. */
export interface Situation {
  readonly state: ReleaseState;
  /** Null while there is nothing to analyse, or nothing could be: counts as no verdict, never as a failure. */
  readonly analysis: Analysis | null;
  readonly plan: ReleasePlan;
  readonly nowMs: number;
  readonly inputs: DecisionInputs;
}

/** Whether a check is to be made now: then, and only then, an analysis is needed. */
export function isCheckDue(state: ReleaseState, plan: ReleasePlan, nowMs: number): boolean {
  return nowMs - state.checkedAtMs >= plan.intervalMs;
}

/** Whether a set of labelled texts decides about the candidate: then it does before anybody gets its answers. */
export function hasGates({ metrics }: ReleasePlan): boolean {
  return metrics.some(({ kind, isDecisive }) => kind === "gate_accuracy" && isDecisive);
}

/** The answer of the hooks of this type at this check; null while they were not asked. */
export function findAnswer({ inputs }: Situation, type: HookType): HookAnswer | null {
  return inputs.hookAnswers.find((answer) => answer.type === type) ?? null;
}

/** The decision to ask hooks, when the plan has any of this type that were not asked yet; otherwise null. */
export function askHook(situation: Situation, hook: HookType): Decision | null {
  const { state, plan, nowMs } = situation;
  if (!hasHook(plan, hook) || findAnswer(situation, hook) !== null) return null;
  return toDecision({ kind: "run_hook", hook }, state, plan, nowMs);
}

/** Why hooks of this type said no; null when they said yes, or there are none. */
export function findRefusal(situation: Situation, type: HookType): string | null {
  const answer = findAnswer(situation, type);
  if (answer === null || answer.isAccepted) return null;
  return `${type} was refused: ${answer.detail ?? "no reason was given"}`;
}

/** Nothing happens, between two checks. */
export function hold(situation: Situation, reason: string): Decision {
  const { state, plan, nowMs } = situation;
  const action: ReleaseAction = { kind: "hold", reason, isCheck: false };
  // The hook that may ask for a rollback has been asked; it is asked again after an interval.
  const wasAsked = findAnswer(situation, "rollback") !== null;
  const next = wasAsked ? { ...state, checkedAtMs: nowMs } : state;
  return toDecision(action, next, plan, nowMs);
}

/** Everybody goes back to stable. */
export function rollBack(situation: Situation, reason: string): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const next = enterPhase(state, "rolling_back", nowMs, reason);
  return toDecision({ kind: "rollback", reason }, next, plan, nowMs, analysis?.checks);
}

/** Everybody goes to the candidate, which is watched for another interval. */
export function promote(situation: Situation, reason: string): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const entered = beginWindow(enterPhase(state, "promoting", nowMs, null), nowMs);
  const next = { ...entered, checkedAtMs: nowMs };
  return toDecision({ kind: "promote", reason }, next, plan, nowMs, analysis?.checks);
}

/** Everything stays as it is until a person says something. */
export function pause(situation: Situation, reason: string): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const { phase } = state;
  if (!isPausable(phase)) return hold(situation, `a release that is ${phase} cannot be paused`);
  const next = { ...enterPhase(state, "paused", nowMs, reason), pausedFrom: phase };
  return toDecision({ kind: "pause", reason }, next, plan, nowMs, analysis?.checks);
}
