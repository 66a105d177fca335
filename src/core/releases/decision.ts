import type { CheckResult } from "./check-result.ts";
import type { ReleaseCommand } from "./release-command.ts";
import type { ReleasePhase } from "./release-phase.ts";
import type { HookType, ReleasePlan } from "./release-plan.ts";
import { listStepWeights } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import type { Readiness } from "./to-traffic-split.ts";

/** What all hooks of one type said together: one refusal, or one that cannot be reached, is a refusal. */
export interface HookAnswer {
  readonly type: HookType;
  readonly isAccepted: boolean;
  /** Why not; null when accepted. */
  readonly detail: string | null;
}

/** What is known at one moment, beside the state, the plan and the analysis. */
export interface DecisionInputs {
  /** Null = nobody said anything. */
  readonly command: ReleaseCommand | null;
  readonly ready: Readiness;
  /** Why the candidate cannot be loaded, or broke; null while it may still become ready. */
  readonly candidateFailure: string | null;
  /** Answers of the hooks that were asked for at this check. They are gone at the next one. */
  readonly hookAnswers: readonly HookAnswer[];
  /** Whether texts are stored that can be replayed. */
  readonly canReplay: boolean;
  /** Whether a replay was done at this check already: its answers are in the analysis. */
  readonly wasReplayed: boolean;
}

/** What is to be done now. */
export type ReleaseAction =
  /** Nothing. `isCheck` tells a check that was made from a moment between two. */
  | { readonly kind: "hold"; readonly reason: string; readonly isCheck: boolean }
  /** A hook refused to let the release go on; it is asked again. */
  | { readonly kind: "wait"; readonly reason: string }
  /** The candidate is ready: steps begin. */
  | { readonly kind: "start" }
  /** The next step; `weight` in percent, 0 where the strategy has none. */
  | { readonly kind: "advance"; readonly step: number; readonly weight: number }
  | { readonly kind: "promote"; readonly reason: string }
  /** The candidate was watched with all requests: it becomes the stable version. */
  | { readonly kind: "finalise" }
  | { readonly kind: "rollback"; readonly reason: string }
  | { readonly kind: "pause"; readonly reason: string }
  | { readonly kind: "resume"; readonly reason: string }
  | { readonly kind: "restart"; readonly candidate: string }
  /** Ask all hooks of this type, then decide again with their answer. */
  | { readonly kind: "run_hook"; readonly hook: HookType }
  /** Ask both versions up to `maxTexts` stored texts, then decide again with what they answered in the windows. */
  | { readonly kind: "replay"; readonly maxTexts: number }
  | { readonly kind: "finish"; readonly outcome: "succeeded" | "failed" };

export interface Decision {
  readonly action: ReleaseAction;
  /**
   * To be stored, and the traffic split made of it, before anything else is done. The same object as before when nothing
   * has changed.
   */
  readonly next: ReleaseState;
  /** To be told; null where nothing was decided. */
  readonly event: ReleaseEvent | null;
}

/** A decision with the numbers that it was made on. Plain JSON. */
export interface ReleaseEvent {
  /** As in Flagger's events. */
  readonly type: "Normal" | "Warning";
  readonly action: ReleaseAction["kind"];
  readonly releaseId: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  readonly revision: number;
  readonly phase: ReleasePhase;
  readonly step: number;
  readonly steps: number;
  readonly weight: number;
  readonly failures: number;
  readonly consecutiveFailures: number;
  readonly inconclusive: number;
  /** A sentence. */
  readonly message: string;
  /** Empty where nothing was analysed. */
  readonly checks: readonly CheckResult[];
  readonly atMs: number;
}

/** A decision with its event. @param checks what it was made on */
export function toDecision(
  action: ReleaseAction,
  next: ReleaseState,
  plan: ReleasePlan,
  nowMs: number,
  checks: readonly CheckResult[] = [],
): Decision {
  if (!isTold(action)) return { action, next, event: null };
  return {
    action,
    next,
    event: {
      type: isWarning(action, next) ? "Warning" : "Normal",
      action: action.kind,
      releaseId: next.id,
      model: next.model,
      stable: next.stable,
      candidate: next.candidate,
      revision: next.revision,
      phase: next.phase,
      step: next.step,
      steps: listStepWeights(plan.strategy).length,
      weight: next.weight,
      failures: next.failures,
      consecutiveFailures: next.consecutiveFailures,
      inconclusive: next.inconclusive,
      message: describeAction(action, next, plan),
      checks,
      atMs: nowMs,
    },
  };
}

/** One sentence about what was decided. */
export function describeAction(
  action: ReleaseAction,
  { candidate, stable }: ReleaseState,
  plan: ReleasePlan,
): string {
  switch (action.kind) {
    case "start":
      return `${candidate} is ready; the release begins.`;
    case "advance": {
      const steps = listStepWeights(plan.strategy).length;
      const share = plan.strategy.kind === "canary" ? ` with ${action.weight} %` : "";
      return `${candidate} goes on to step ${action.step} of ${steps}${share}.`;
    }
    case "promote":
      return `All requests go to ${candidate}: ${action.reason}.`;
    case "finalise":
      return `${candidate} becomes the stable version.`;
    case "rollback":
      return `All requests go back to ${stable}: ${action.reason}.`;
    case "restart":
      return `A new candidate, ${action.candidate}: the release begins again.`;
    case "run_hook":
      return `The hooks ${action.hook} are asked.`;
    case "replay":
      return `Too few requests to decide: up to ${action.maxTexts} stored texts are replayed.`;
    case "finish":
      return action.outcome === "succeeded" ? `${candidate} is live.` : `${stable} stays live.`;
    case "hold":
      return `Held: ${action.reason}.`;
    case "wait":
      return `Waiting: ${action.reason}.`;
    case "pause":
      return `Paused: ${action.reason}.`;
    case "resume":
      return `Resumed: ${action.reason}.`;
  }
}

function isTold(action: ReleaseAction): boolean {
  if (action.kind === "run_hook") return false;
  return action.kind !== "hold" || action.isCheck;
}

function isWarning(action: ReleaseAction, next: ReleaseState): boolean {
  if (action.kind === "rollback" || action.kind === "pause") return true;
  if (action.kind === "finish") return action.outcome === "failed";
  return action.kind === "hold" && next.consecutiveFailures > 0;
}
