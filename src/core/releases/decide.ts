import type { Analysis } from "./analyse.ts";
import { decideCheck } from "./decide-check.ts";
import type { Decision, DecisionInputs } from "./decision.ts";
import { toDecision } from "./decision.ts";
import type { ReleaseCommand } from "./release-command.ts";
import { findCommandProblem } from "./release-command.ts";
import { isFinishedPhase } from "./release-phase.ts";
import type { ReleasePlan } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { enterPhase, restartRelease } from "./release-state.ts";
import type { Situation } from "./situation.ts";
import {
  askHook,
  findAnswer,
  findRefusal,
  hold,
  isCheckDue,
  pause,
  promote,
  rollBack,
} from "./situation.ts";

/**
 * What becomes of a release now. To be called often, since commands and a candidate that breaks do not wait for the next
 * check; between checks it holds. After `run_hook` and `replay` it is to be called again at once, with what came of them;
 * if the process ends in between, the next one asks again. Pure.
 *
 * In this order: a person's command · the hook that asks for a rollback · versions that are not ready · the phase.
 */
export function decide(
  state: ReleaseState,
  analysis: Analysis | null,
  plan: ReleasePlan,
  nowMs: number,
  inputs: DecisionInputs,
): Decision {
  const unreadySinceMs = unreadySince(state, nowMs, inputs);
  const known = unreadySinceMs === state.unreadySinceMs ? state : { ...state, unreadySinceMs };
  const situation: Situation = { state: known, analysis, plan, nowMs, inputs };
  if (isFinishedPhase(state.phase)) return hold(situation, `the release has ${state.phase}`);
  if (inputs.command !== null) return followCommand(situation, inputs.command);
  return askForRollback(situation) ?? decideReadiness(situation) ?? decidePhase(situation);
}

function followCommand(situation: Situation, command: ReleaseCommand): Decision {
  const { state, plan, nowMs, inputs } = situation;
  const problem = findCommandProblem(state, command, inputs.ready);
  if (problem !== null) return hold(situation, problem.replace(/\.$/, ""));
  const reason = `${command.by} asked for it`;
  switch (command.kind) {
    case "rollback":
      return rollBack(situation, reason);
    case "promote":
      return promote(situation, reason);
    case "pause":
      return pause(situation, reason);
    case "resume": {
      const phase = state.pausedFrom ?? "progressing";
      const next = { ...enterPhase(state, phase, nowMs, null), inconclusive: 0 };
      return toDecision({ kind: "resume", reason }, next, plan, nowMs);
    }
    case "new_candidate": {
      const { candidate } = command;
      const next = restartRelease(state, candidate, nowMs);
      return toDecision({ kind: "restart", candidate }, next, plan, nowMs);
    }
  }
}

/** A good answer of this hook means «roll back now»; it is asked at every check, whatever the phase. */
function askForRollback(situation: Situation): Decision | null {
  const { state, plan, nowMs } = situation;
  if (state.phase === "rolling_back" || !isCheckDue(state, plan, nowMs)) return null;
  const question = askHook(situation, "rollback");
  if (question !== null) return question;
  const isWanted = findAnswer(situation, "rollback")?.isAccepted === true;
  return isWanted ? rollBack(situation, "a rollback hook asked for it") : null;
}

/** A candidate that broke goes back at once; one that is still loading, e.g. after a restart of this process, has its time. */
function decideReadiness(situation: Situation): Decision | null {
  const { state, plan, nowMs, inputs } = situation;
  const { phase, unreadySinceMs } = state;
  if (phase === "rolling_back" || inputs.ready.candidate) return null;
  if (inputs.candidateFailure !== null) {
    return rollBack(situation, `the candidate failed: ${inputs.candidateFailure}`);
  }
  if (nowMs - (unreadySinceMs ?? nowMs) >= plan.readyWithinMs) {
    return rollBack(situation, `the candidate was not ready within ${plan.readyWithinMs} ms`);
  }
  return hold(situation, "the candidate is not ready yet");
}

function decidePhase(situation: Situation): Decision {
  const { state, plan, nowMs, inputs } = situation;
  const isDue = isCheckDue(state, plan, nowMs);
  switch (state.phase) {
    case "initializing":
      return confirmRollout(situation);
    case "waiting":
      return isDue ? confirmRollout(situation) : hold(situation, betweenChecks);
    case "progressing":
      // Nothing has to be waited for before the first step, unless a hook has refused it.
      if (state.step === 0 && state.checks === 0) return decideCheck(situation);
      return isDue ? decideCheck(situation) : hold(situation, betweenChecks);
    case "waiting_promotion":
    case "promoting":
      return isDue ? decideCheck(situation) : hold(situation, betweenChecks);
    case "finalising":
      return finish(situation, "succeeded");
    case "rolling_back":
      // The candidate is put away when the release has ended; until stable can answer, it is all there is.
      if (inputs.ready.candidate && !inputs.ready.stable) {
        return hold(situation, "stable is not ready; the candidate answers until it is");
      }
      return finish(situation, "failed");
    default:
      return hold(situation, state.reason ?? `the release is ${state.phase}`);
  }
}

const betweenChecks = "the next check is not due";

function confirmRollout(situation: Situation): Decision {
  const { state, plan, nowMs } = situation;
  const question = askHook(situation, "confirm-rollout");
  if (question !== null) return question;
  const reason = findRefusal(situation, "confirm-rollout");
  if (reason === null) {
    const begun = enterPhase(state, "progressing", nowMs, null);
    return toDecision({ kind: "start" }, begun, plan, nowMs);
  }
  const isWaiting = state.phase === "waiting";
  const next = isWaiting ? { ...state, reason } : enterPhase(state, "waiting", nowMs, reason);
  return toDecision({ kind: "wait", reason }, { ...next, checkedAtMs: nowMs }, plan, nowMs);
}

function finish(situation: Situation, outcome: "succeeded" | "failed"): Decision {
  const { state, plan, nowMs } = situation;
  // Whatever is answered changes nothing any more.
  const question = askHook(situation, "post-rollout");
  if (question !== null) return question;
  const next = enterPhase(state, outcome, nowMs, state.reason);
  return toDecision({ kind: "finish", outcome }, next, plan, nowMs);
}

function unreadySince(state: ReleaseState, nowMs: number, { ready }: DecisionInputs) {
  return ready.candidate ? null : (state.unreadySinceMs ?? nowMs);
}
