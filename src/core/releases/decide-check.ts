import type { CheckOutcome } from "./check-result.ts";
import type { Decision, ReleaseAction } from "./decision.ts";
import { toDecision } from "./decision.ts";
import { listStepWeights } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { beginWindow, enterPhase } from "./release-state.ts";
import type { Situation } from "./situation.ts";
import { askHook, findRefusal, hasGates, hold, pause, promote, rollBack } from "./situation.ts";

/**
 * One check of a release that has begun: hooks first, then what was measured. Passed, it goes on; failed, it is counted;
 * without a verdict it is looked at again, with replayed texts in the end, and then by a person. Pure.
 */
export function decideCheck(situation: Situation): Decision {
  const { state, inputs, analysis } = situation;
  if (state.phase === "promoting") return watchPromotion(situation);
  if (state.step === 0) return beginSteps(situation);
  if (!inputs.ready.stable)
    return hold(situation, "stable is not ready: there is nothing to compare with");
  const question = askHook(situation, "rollout");
  if (question !== null) return question;
  const refusal = findRefusal(situation, "rollout");
  if (refusal !== null) return failCheck(situation, refusal);
  const outcome = analysis?.outcome ?? "inconclusive";
  if (outcome === "fail") return failCheck(situation, describeChecks(situation, "fail"));
  // What waits for a yes has been passed; only a failure counts against it from then on.
  if (outcome === "pass" || state.phase === "waiting_promotion")
    return passCheck(situation, outcome);
  return repeatCheck(situation);
}

function beginSteps(situation: Situation): Decision {
  const question = askHook(situation, "pre-rollout");
  if (question !== null) return question;
  const refusal = findRefusal(situation, "pre-rollout");
  if (refusal !== null) return failCheck(situation, refusal);
  return judgeGates(situation) ?? advance(situation, situation.state);
}

/**
 * Sets of labelled texts decide before anybody gets an answer of the candidate: null when nothing is against it. They say the
 * same however often they are asked, so that one failure is enough.
 */
function judgeGates(situation: Situation): Decision | null {
  const { plan, analysis } = situation;
  if (!hasGates(plan)) return null;
  const gates = analysis?.checks.filter(
    ({ kind, isDecisive }) => kind === "gate_accuracy" && isDecisive,
  );
  const find = (outcome: CheckOutcome) => gates?.find((check) => check.outcome === outcome);
  const bad = find("fail");
  if (bad !== undefined) return rollBack(situation, `${bad.name}: ${bad.reason}`);
  const open =
    gates === undefined ? { name: "gate", reason: "it was not asked" } : find("inconclusive");
  return open === undefined
    ? null
    : countUndecided(situation, `${open.name}: ${open.reason}`, false);
}

/** With all requests on the candidate one failure is enough. Stable sees nothing any more, so no verdict is no obstacle. */
function watchPromotion(situation: Situation): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const question = askHook(situation, "rollout");
  if (question !== null) return question;
  const refusal = findRefusal(situation, "rollout");
  if (refusal !== null) return rollBack(situation, refusal);
  if (analysis?.outcome === "fail") return rollBack(situation, describeChecks(situation, "fail"));
  const next = enterPhase(countCheck(state, nowMs), "finalising", nowMs, null);
  return toDecision({ kind: "finalise" }, next, plan, nowMs, analysis?.checks);
}

function passCheck(situation: Situation, outcome: "pass" | "inconclusive"): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const counted = countCheck(state, nowMs);
  const passed =
    outcome === "pass" ? { ...counted, consecutiveFailures: 0, inconclusive: 0 } : counted;
  const steps = listStepWeights(plan.strategy).length;
  if (state.phase === "waiting_promotion" || state.step >= steps) {
    return decidePromotion(situation, passed);
  }
  if (plan.strategy.kind !== "canary") return advance(situation, passed);
  const question = askHook(situation, "confirm-traffic-increase");
  if (question !== null) return question;
  const reason = findRefusal(situation, "confirm-traffic-increase");
  if (reason === null) return advance(situation, passed);
  const next = { ...passed, looks: state.looks + 1 };
  return toDecision({ kind: "hold", reason, isCheck: true }, next, plan, nowMs, analysis?.checks);
}

function decidePromotion(situation: Situation, passed: ReleaseState): Decision {
  const { plan } = situation;
  if (plan.promotion === "manual") {
    return waitForPromotion(situation, passed, "passed; a person has to promote it");
  }
  const question = askHook(situation, "confirm-promotion");
  if (question !== null) return question;
  const refusal = findRefusal(situation, "confirm-promotion");
  if (refusal !== null) return waitForPromotion(situation, passed, refusal);
  return promote({ ...situation, state: passed }, "every step was passed");
}

function waitForPromotion(situation: Situation, passed: ReleaseState, reason: string): Decision {
  const { plan, nowMs, analysis } = situation;
  const entered =
    passed.phase === "waiting_promotion"
      ? { ...passed, reason }
      : enterPhase(passed, "waiting_promotion", nowMs, reason);
  // What goes wrong from now on must not hide behind what went well before.
  const next = analysis?.outcome === "pass" ? beginWindow(entered, nowMs) : lookAgain(entered);
  return toDecision({ kind: "wait", reason }, next, plan, nowMs, analysis?.checks);
}

function advance(situation: Situation, from: ReleaseState): Decision {
  const { plan, nowMs, analysis } = situation;
  const step = from.step + 1;
  const weight = listStepWeights(plan.strategy)[step - 1] ?? from.weight;
  const counted = { ...from, step, weight, reason: null, checkedAtMs: nowMs };
  const next = beginWindow(counted, nowMs);
  return toDecision({ kind: "advance", step, weight }, next, plan, nowMs, analysis?.checks);
}

/** A failure begins a new window, so that the next one is found in new numbers and not in the same ones. */
function failCheck(situation: Situation, reason: string): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const failures = state.failures + 1;
  const consecutiveFailures = state.consecutiveFailures + 1;
  const counted = { ...countCheck(state, nowMs), failures, consecutiveFailures, inconclusive: 0 };
  const next = beginWindow({ ...counted, reason }, nowMs);
  if (failures >= plan.maxFailures || consecutiveFailures >= plan.maxConsecutiveFailures) {
    return rollBack({ ...situation, state: next }, reason);
  }
  const action: ReleaseAction = { kind: "hold", reason, isCheck: true };
  return toDecision(action, next, plan, nowMs, analysis?.checks);
}

function repeatCheck(situation: Situation): Decision {
  const { state, plan, nowMs, analysis, inputs } = situation;
  const inconclusive = state.inconclusive + 1;
  const { replay } = plan;
  const wasReplayed = state.wasReplayed || inputs.wasReplayed;
  const isLacking = analysis !== null && analysis.missingSamples > 0;
  if (
    replay.kind === "sample" &&
    inconclusive >= replay.afterInconclusive &&
    isLacking &&
    inputs.canReplay &&
    !wasReplayed
  ) {
    const action: ReleaseAction = { kind: "replay", maxTexts: replay.maxTexts };
    return toDecision(action, state, plan, nowMs, analysis.checks);
  }
  return countUndecided(situation, describeChecks(situation, "inconclusive"), wasReplayed);
}

/** One more check without a verdict: it is looked at again, and in the end by a person. */
function countUndecided(situation: Situation, reason: string, wasReplayed: boolean): Decision {
  const { state, plan, nowMs, analysis } = situation;
  const inconclusive = state.inconclusive + 1;
  const counted = lookAgain(countCheck(state, nowMs));
  const next = { ...counted, inconclusive, wasReplayed, reason };
  if (inconclusive >= plan.maxInconclusive) {
    return pause({ ...situation, state: next }, `no verdict in ${inconclusive} checks: ${reason}`);
  }
  const action: ReleaseAction = { kind: "hold", reason, isCheck: true };
  return toDecision(action, next, plan, nowMs, analysis?.checks);
}

function countCheck(state: ReleaseState, nowMs: number): ReleaseState {
  return { ...state, checks: state.checks + 1, checkedAtMs: nowMs };
}

function lookAgain(state: ReleaseState): ReleaseState {
  return { ...state, looks: state.looks + 1 };
}

function describeChecks({ analysis }: Situation, outcome: "fail" | "inconclusive"): string {
  if (analysis === null) return "nothing could be measured";
  const found = analysis.checks.filter((check) => check.isDecisive && check.outcome === outcome);
  return found.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
}
