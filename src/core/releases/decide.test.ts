import { describe } from "vitest";
import type { DecisionRow } from "../../../test/support/decision-rows.ts";
import {
  analysisOf,
  FAIL,
  holdsUncounted,
  lastStep,
  NOW,
  no,
  PASS,
  planOf,
  QUIET,
  START,
  stateOf,
  stepOne,
  table,
  UNSURE,
  unready,
  yes,
} from "../../../test/support/decision-rows.ts";
import type { Analysis } from "./analyse.ts";
import type { CheckOutcome } from "./check-result.ts";
import type { ReleaseMetric } from "./release-metric.ts";

describe("at the beginning", () => {
  const confirming = planOf({}, ["confirm-rollout"]);
  const preparing = planOf({}, ["pre-rollout"]);
  const begun = stateOf({ phase: "progressing" });
  table([
    {
      when: "a candidate that still loads is waited for",
      state: stateOf(),
      inputs: unready,
      action: holdsUncounted,
      next: { phase: "initializing", weight: 0, unreadySinceMs: NOW },
    },
    {
      when: "one that cannot be loaded is given up at once",
      state: stateOf(),
      inputs: { ...unready, candidateFailure: "its digest is wrong" },
      action: { kind: "rollback", reason: "the candidate failed: its digest is wrong" },
      next: { phase: "rolling_back", weight: 0 },
    },
    {
      when: "one that does not get ready in time is given up",
      state: stateOf({ unreadySinceMs: NOW - 600_000 }),
      inputs: unready,
      action: { kind: "rollback" },
      next: { phase: "rolling_back" },
    },
    {
      when: "one that is ready starts without waiting for an interval",
      state: stateOf(),
      nowMs: START + 1,
      action: { kind: "start" },
      next: { phase: "progressing", step: 0, weight: 0 },
    },
    {
      when: "confirm-rollout is asked first",
      state: stateOf(),
      plan: confirming,
      action: { kind: "run_hook", hook: "confirm-rollout" },
      next: { phase: "initializing" },
    },
    {
      when: "a refusal makes the release wait, and counts nothing",
      state: stateOf(),
      plan: confirming,
      inputs: { hookAnswers: [no("confirm-rollout")] },
      action: { kind: "wait", reason: "confirm-rollout was refused: not now" },
      next: { phase: "waiting", failures: 0, checkedAtMs: NOW },
    },
    {
      when: "a release that waits asks again after an interval, not before",
      state: stateOf({ phase: "waiting", checkedAtMs: NOW - 1 }),
      plan: confirming,
      action: holdsUncounted,
    },
    {
      when: "and goes on when the hook agrees",
      state: stateOf({ phase: "waiting" }),
      plan: confirming,
      inputs: { hookAnswers: [yes("confirm-rollout")] },
      action: { kind: "start" },
      next: { phase: "progressing" },
    },
    {
      when: "pre-rollout is asked before there is traffic",
      state: begun,
      plan: preparing,
      action: { kind: "run_hook", hook: "pre-rollout" },
      next: { weight: 0 },
    },
    {
      when: "a refusal of pre-rollout counts as a failed check",
      state: begun,
      plan: preparing,
      inputs: { hookAnswers: [no("pre-rollout")] },
      action: { kind: "hold", isCheck: true },
      next: { failures: 1, consecutiveFailures: 1, weight: 0, step: 0 },
    },
    {
      when: "then the candidate gets its first share",
      state: begun,
      plan: preparing,
      inputs: { hookAnswers: [yes("pre-rollout")] },
      action: { kind: "advance", step: 1, weight: 10 },
      next: { step: 1, weight: 10, windowStartedAtMs: NOW, checkedAtMs: NOW },
    },
  ]);
});

describe("a set of labelled texts, before the first step", () => {
  const gate: ReleaseMetric = {
    name: "gate",
    kind: "gate_accuracy",
    isDecisive: true,
    gateSet: "reviews",
    minRatio: 0.95,
    maxDrop: null,
  };
  const plan = planOf({ metrics: [gate] });
  const state = stateOf({ phase: "progressing" });
  const analysisOfGate = (outcome: CheckOutcome, isDecisive = true): Analysis => {
    const { checks, ...analysis } = analysisOf(outcome);
    const gates = checks.map((check) => ({ ...check, name: "gate", kind: gate.kind, isDecisive }));
    // Nobody has seen the candidate yet: everything else is without a verdict.
    return { ...analysis, checks: [...UNSURE.checks, ...gates] };
  };
  table([
    {
      when: "that is passed begins the steps",
      ...{ state, plan, analysis: analysisOfGate("pass"), nowMs: START + 1 },
      action: { kind: "advance", step: 1, weight: 10 },
    },
    {
      when: "that is failed ends the release, at once",
      ...{ state, plan, analysis: analysisOfGate("fail"), nowMs: START + 1 },
      action: { kind: "rollback", reason: "gate: 50 % of 200" },
      next: { phase: "rolling_back", weight: 0, step: 0 },
    },
    {
      when: "that could not be asked is asked again",
      ...{ state, plan, analysis: analysisOfGate("inconclusive"), nowMs: START + 1 },
      action: { kind: "hold", isCheck: true, reason: "gate: 50 % of 200" },
      next: { phase: "progressing", step: 0, weight: 0, inconclusive: 1, checks: 1 },
    },
    {
      when: "that was not even looked at is none that was passed",
      ...{ state, plan, analysis: null, nowMs: START + 1 },
      action: { kind: "hold", isCheck: true },
      next: { step: 0, weight: 0 },
    },
    {
      when: "that can never be asked is for a person in the end",
      ...{ plan, analysis: analysisOfGate("inconclusive") },
      state: stateOf({ phase: "progressing", checks: 9, inconclusive: 9 }),
      action: { kind: "pause" },
      next: { phase: "paused", step: 0, weight: 0 },
    },
    {
      when: "that decides nothing is in nobody's way",
      ...{ state, nowMs: START + 1, analysis: analysisOfGate("fail", false) },
      plan: planOf({ metrics: [{ ...gate, isDecisive: false }] }),
      action: { kind: "advance", step: 1 },
    },
  ]);
});

describe("after the last step", () => {
  const confirming = planOf({}, ["confirm-promotion"]);
  const waiting = { ...lastStep, phase: "waiting_promotion" } as const;
  table([
    {
      when: "a pass promotes",
      state: lastStep,
      analysis: PASS,
      action: { kind: "promote", reason: "every step was passed" },
      next: { phase: "promoting", weight: 100, windowStartedAtMs: NOW, checkedAtMs: NOW },
    },
    {
      when: "iterations of blue/green promote from no traffic to all of it",
      state: stateOf({ phase: "progressing", step: 2 }),
      plan: planOf({ strategy: { kind: "blue_green", iterations: 2 } }),
      analysis: PASS,
      action: { kind: "promote" },
      next: { weight: 100 },
    },
    {
      when: "an iteration that is not the last one leads to the next, without a weight",
      state: stateOf({ phase: "progressing", step: 1 }),
      plan: planOf({ strategy: { kind: "blue_green", iterations: 2 } }),
      analysis: PASS,
      action: { kind: "advance", step: 2, weight: 0 },
    },
    {
      when: "a shadow waits for a person",
      state: stateOf({ phase: "progressing", step: 1 }),
      plan: planOf({ strategy: { kind: "shadow", share: 5, iterations: 1 } }),
      analysis: PASS,
      action: { kind: "wait", reason: "passed; a person has to promote it" },
      next: { phase: "waiting_promotion", weight: 0 },
    },
    {
      when: "confirm-promotion is asked",
      state: lastStep,
      plan: confirming,
      analysis: PASS,
      action: { kind: "run_hook", hook: "confirm-promotion" },
    },
    {
      when: "its refusal makes the release wait",
      state: lastStep,
      plan: confirming,
      analysis: PASS,
      inputs: { hookAnswers: [no("confirm-promotion")] },
      action: { kind: "wait" },
      next: { phase: "waiting_promotion", weight: 30, failures: 0 },
    },
    {
      when: "while waiting, quiet hours do not matter",
      state: waiting,
      plan: confirming,
      analysis: QUIET,
      inputs: { hookAnswers: [yes("confirm-promotion")] },
      action: { kind: "promote" },
    },
    {
      when: "while waiting, failures count and roll back",
      state: { ...waiting, failures: 4 },
      plan: confirming,
      analysis: FAIL,
      action: { kind: "rollback" },
      next: { phase: "rolling_back", weight: 0 },
    },
  ]);
});

describe("with all requests on the candidate", () => {
  const promoting = stateOf({ phase: "promoting", step: 3, weight: 100 });
  table([
    {
      when: "it is watched for one more interval",
      state: promoting,
      nowMs: NOW - 1,
      action: holdsUncounted,
    },
    {
      when: "a single failure rolls back",
      state: promoting,
      analysis: FAIL,
      action: { kind: "rollback" },
      next: { phase: "rolling_back", weight: 0 },
    },
    {
      when: "that stable has no numbers any more is no obstacle",
      state: promoting,
      analysis: QUIET,
      action: { kind: "finalise" },
      next: { phase: "finalising", weight: 100 },
    },
    {
      when: "post-rollout is told before the end",
      state: { ...promoting, phase: "finalising" },
      plan: planOf({}, ["post-rollout"]),
      action: { kind: "run_hook", hook: "post-rollout" },
    },
    {
      when: "whatever it answers",
      state: { ...promoting, phase: "finalising" },
      plan: planOf({}, ["post-rollout"]),
      inputs: { hookAnswers: [no("post-rollout")] },
      action: { kind: "finish", outcome: "succeeded" },
      next: { phase: "succeeded", weight: 100, finishedAtMs: NOW },
    },
  ]);
});

describe("on the way back", () => {
  const back = stateOf({ phase: "rolling_back", reason: "it was slow" });
  const asking = planOf({}, ["rollback"]);
  table([
    {
      when: "the release ends as failed, with the reason",
      state: back,
      action: { kind: "finish", outcome: "failed" },
      next: { phase: "failed", weight: 0, reason: "it was slow", finishedAtMs: NOW },
    },
    {
      when: "the candidate is not put away while stable cannot answer",
      state: back,
      inputs: { ready: { stable: false, candidate: true } },
      action: holdsUncounted,
      next: { phase: "rolling_back" },
    },
    {
      when: "what is finished stays finished",
      state: stateOf({ phase: "failed" }),
      analysis: PASS,
      action: holdsUncounted,
      next: { phase: "failed" },
    },
    ...(["waiting", "progressing", "waiting_promotion", "promoting", "paused"] as const).map(
      (phase): DecisionRow => ({
        when: `a rollback hook is asked while ${phase}`,
        state: stateOf({ phase, step: 1 }),
        plan: asking,
        action: { kind: "run_hook", hook: "rollback" },
      }),
    ),
    {
      when: "its good answer means «back», though all metrics pass",
      state: stepOne,
      plan: asking,
      analysis: PASS,
      inputs: { hookAnswers: [yes("rollback")] },
      action: { kind: "rollback", reason: "a rollback hook asked for it" },
      next: { phase: "rolling_back", weight: 0 },
    },
    {
      when: "its bad answer means nothing",
      state: stepOne,
      plan: asking,
      analysis: PASS,
      inputs: { hookAnswers: [no("rollback")] },
      action: { kind: "advance" },
    },
    {
      when: "while paused it is asked again after an interval, not at once",
      state: stateOf({ phase: "paused", pausedFrom: "progressing" }),
      plan: asking,
      inputs: { hookAnswers: [no("rollback")] },
      action: holdsUncounted,
      next: { phase: "paused", checkedAtMs: NOW },
    },
  ]);
});
