import { describe, expect, test } from "vitest";
import type { Analysis } from "./analyse.ts";
import type { CheckOutcome, CheckResult } from "./check-result.ts";
import { decide } from "./decide.ts";
import type { DecisionInputs, HookAnswer, ReleaseAction } from "./decision.ts";
import type { ReleaseCommand } from "./release-command.ts";
import type { ReleaseMetric } from "./release-metric.ts";
import type { HookType, ReleasePlan, ReleaseStrategy } from "./release-plan.ts";
import { createPlan, DEFAULT_STRATEGY } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";
import { createReleaseState } from "./release-state.ts";

const MINUTE = 60_000;
/** The release began then; the check under test is made a minute later. */
const START = 1_000_000;
const NOW = START + MINUTE;

const canary: ReleaseStrategy = { ...DEFAULT_STRATEGY, stepWeight: 10, maxWeight: 30 };

function planOf(changes: Partial<ReleasePlan> = {}, hooks: readonly HookType[] = []): ReleasePlan {
  const strategy = changes.strategy ?? canary;
  return {
    ...createPlan({ model: "spam", candidate: "2.0.0", strategy, hasLabels: true, gateSet: null }),
    hooks: hooks.map((type) => ({
      name: type,
      type,
      url: "https://hooks.example.com",
      timeoutMs: 1000,
      retries: 0,
    })),
    ...changes,
  };
}

function stateOf(changes: Partial<ReleaseState> = {}): ReleaseState {
  const release = { id: "rel_1", model: "spam", stable: "1.0.0", candidate: "2.0.0" };
  return { ...createReleaseState(release, START), ...changes };
}

/** Under way with 10 %, looked at for the first time. */
const stepOne = stateOf({ phase: "progressing", step: 1, weight: 10 });
const lastStep = stateOf({ phase: "progressing", step: 3, weight: 30 });

function analysisOf(outcome: CheckOutcome, missingSamples = 0): Analysis {
  const check: CheckResult = {
    name: "success-rate",
    kind: "success_rate",
    isDecisive: true,
    outcome,
    value: 0.5,
    lower: 0.4,
    upper: 0.6,
    stableValue: 1,
    bound: 0.99,
    samples: 200,
    missingSamples,
    reason: "50 % of 200",
  };
  return { checks: [check], outcome, missingSamples };
}

const PASS = analysisOf("pass");
const FAIL = analysisOf("fail");
const UNSURE = analysisOf("inconclusive");
const QUIET = analysisOf("inconclusive", 80);

const yes = (type: HookType): HookAnswer => ({ type, isAccepted: true, detail: null });
const no = (type: HookType): HookAnswer => ({ type, isAccepted: false, detail: "not now" });

interface Row {
  readonly when: string;
  readonly state: ReleaseState;
  readonly analysis?: Analysis | null;
  readonly plan?: ReleasePlan;
  readonly nowMs?: number;
  readonly inputs?: Partial<DecisionInputs>;
  readonly action: Partial<ReleaseAction>;
  readonly next?: Partial<ReleaseState>;
}

function decideRow({ state, analysis = null, plan = planOf(), nowMs = NOW, inputs = {} }: Row) {
  return decide(state, analysis, plan, nowMs, {
    command: null,
    ready: { stable: true, candidate: true },
    candidateFailure: null,
    hookAnswers: [],
    canReplay: true,
    wasReplayed: false,
    ...inputs,
  });
}

function table(rows: readonly Row[]): void {
  test.each(rows.map((row) => [row.when, row] as const))("%s", (_, row) => {
    const { action, next } = decideRow(row);
    expect(action).toMatchObject(row.action);
    expect(next).toMatchObject(row.next ?? {});
  });
}

const unready = { ready: { stable: true, candidate: false } };
const holdsUncounted = { kind: "hold", isCheck: false } as const;

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

describe("at a check", () => {
  table([
    {
      when: "nothing happens before the interval is over",
      state: stepOne,
      analysis: FAIL,
      nowMs: NOW - 1,
      action: holdsUncounted,
      next: { checks: 0 },
    },
    {
      when: "a pass goes to the next weight, with a new window",
      state: { ...stepOne, consecutiveFailures: 2, failures: 2, inconclusive: 1, looks: 3 },
      analysis: PASS,
      action: { kind: "advance", step: 2, weight: 20 },
      next: {
        step: 2,
        weight: 20,
        failures: 2,
        consecutiveFailures: 0,
        inconclusive: 0,
        looks: 0,
        windowStartedAtMs: NOW,
        checks: 1,
      },
    },
    {
      when: "a failure is counted, keeps the weight and begins a new window",
      state: { ...stepOne, looks: 4 },
      analysis: FAIL,
      action: { kind: "hold", isCheck: true, reason: "success-rate: 50 % of 200" },
      next: { failures: 1, consecutiveFailures: 1, weight: 10, looks: 0, windowStartedAtMs: NOW },
    },
    {
      when: "failures in a row roll back when they reach their limit",
      state: { ...stepOne, failures: 2, consecutiveFailures: 2 },
      analysis: FAIL,
      action: { kind: "rollback", reason: "success-rate: 50 % of 200" },
      next: { phase: "rolling_back", weight: 0, failures: 3 },
    },
    {
      when: "failures in all roll back when they reach theirs, though passes lie between",
      state: { ...stepOne, failures: 4, consecutiveFailures: 0 },
      analysis: FAIL,
      action: { kind: "rollback" },
      next: { phase: "rolling_back", weight: 0, failures: 5, consecutiveFailures: 1 },
    },
    {
      when: "a rollout hook is asked before the metrics",
      state: stepOne,
      plan: planOf({}, ["rollout"]),
      analysis: PASS,
      action: { kind: "run_hook", hook: "rollout" },
      next: { checks: 0 },
    },
    {
      when: "its refusal counts, whatever the metrics say",
      state: stepOne,
      plan: planOf({}, ["rollout"]),
      analysis: PASS,
      inputs: { hookAnswers: [no("rollout")] },
      action: { kind: "hold", isCheck: true, reason: "rollout was refused: not now" },
      next: { failures: 1 },
    },
    {
      when: "confirm-traffic-increase is asked after a pass only",
      state: stepOne,
      plan: planOf({}, ["confirm-traffic-increase"]),
      analysis: PASS,
      action: { kind: "run_hook", hook: "confirm-traffic-increase" },
    },
    {
      when: "its refusal holds the weight, and counts nothing",
      state: stepOne,
      plan: planOf({}, ["confirm-traffic-increase"]),
      analysis: PASS,
      inputs: { hookAnswers: [no("confirm-traffic-increase")] },
      action: { kind: "hold", isCheck: true },
      next: { weight: 10, failures: 0, inconclusive: 0, looks: 1, checkedAtMs: NOW },
    },
    {
      when: "stable that is not ready leaves nothing to compare with",
      state: stepOne,
      analysis: FAIL,
      inputs: { ready: { stable: false, candidate: true } },
      action: holdsUncounted,
      next: { failures: 0 },
    },
    {
      when: "a candidate that broke goes back at once, between checks too",
      state: stepOne,
      nowMs: NOW - 1,
      inputs: { ...unready, candidateFailure: "its worker died" },
      action: { kind: "rollback" },
      next: { phase: "rolling_back", weight: 0 },
    },
    {
      when: "a candidate that loads again, e.g. in a new process, gets its time",
      state: stepOne,
      analysis: FAIL,
      inputs: unready,
      action: holdsUncounted,
      next: { phase: "progressing", unreadySinceMs: NOW, weight: 10 },
    },
    {
      when: "once it is ready again, that is forgotten",
      state: { ...stepOne, unreadySinceMs: START },
      analysis: PASS,
      action: { kind: "advance" },
      next: { unreadySinceMs: null },
    },
  ]);
});

describe("without a verdict", () => {
  const thirdTime = { ...stepOne, inconclusive: 2, looks: 2 };
  table([
    {
      when: "the release holds and looks at the same window again",
      state: stepOne,
      analysis: QUIET,
      action: { kind: "hold", isCheck: true },
      next: { inconclusive: 1, looks: 1, failures: 0, windowStartedAtMs: START, weight: 10 },
    },
    {
      when: "what could not be measured is no failure",
      state: stepOne,
      analysis: null,
      action: { kind: "hold", isCheck: true, reason: "nothing could be measured" },
      next: { inconclusive: 1, failures: 0 },
    },
    {
      when: "in quiet hours stored texts are replayed after some checks",
      state: thirdTime,
      analysis: QUIET,
      action: { kind: "replay", maxTexts: 500 },
      next: { inconclusive: 2, checks: 0 },
    },
    {
      when: "a replay that decides goes on like any check",
      state: thirdTime,
      analysis: PASS,
      inputs: { wasReplayed: true },
      action: { kind: "advance", step: 2, weight: 20 },
      next: { inconclusive: 0 },
    },
    {
      when: "a replay that finds a failure counts it",
      state: thirdTime,
      analysis: FAIL,
      inputs: { wasReplayed: true },
      action: { kind: "hold", isCheck: true },
      next: { failures: 1, inconclusive: 0 },
    },
    {
      when: "a replay that does not decide is not repeated at the same check",
      state: thirdTime,
      analysis: QUIET,
      inputs: { wasReplayed: true },
      action: { kind: "hold", isCheck: true },
      next: { inconclusive: 3, looks: 3, wasReplayed: true },
    },
    {
      when: "nor at a later one: the same texts say nothing new",
      state: { ...thirdTime, wasReplayed: true },
      analysis: QUIET,
      action: { kind: "hold", isCheck: true },
    },
    {
      when: "until a new window begins",
      state: { ...thirdTime, wasReplayed: true },
      analysis: PASS,
      action: { kind: "advance" },
      next: { wasReplayed: false },
    },
    {
      when: "nothing is replayed when there are samples enough",
      state: thirdTime,
      analysis: UNSURE,
      action: { kind: "hold", isCheck: true },
    },
    {
      when: "nothing is replayed when nothing is stored",
      state: thirdTime,
      analysis: QUIET,
      inputs: { canReplay: false },
      action: { kind: "hold", isCheck: true },
    },
    {
      when: "nothing is replayed when the plan says so",
      state: thirdTime,
      analysis: QUIET,
      plan: planOf({ replay: { kind: "off" } }),
      action: { kind: "hold", isCheck: true },
    },
    {
      when: "after too many such checks a person has to decide",
      state: { ...stepOne, inconclusive: 9 },
      analysis: UNSURE,
      action: {
        kind: "pause",
        reason: "no verdict in 10 checks: success-rate: 50 % of 200",
      },
      next: { phase: "paused", pausedFrom: "progressing", weight: 10, inconclusive: 10 },
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
      (phase): Row => ({
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

describe("a person's command", () => {
  const by = "ada";
  const ordered = (command: ReleaseCommand) => ({ command });
  const paused = stateOf({
    phase: "paused",
    pausedFrom: "progressing",
    step: 1,
    weight: 10,
    inconclusive: 10,
  });
  table([
    {
      when: "pause keeps the weight",
      state: stepOne,
      analysis: FAIL,
      inputs: ordered({ kind: "pause", by }),
      action: { kind: "pause", reason: "ada asked for it" },
      next: { phase: "paused", pausedFrom: "progressing", weight: 10, failures: 0 },
    },
    {
      when: "a paused release does not go on by itself",
      state: paused,
      analysis: PASS,
      action: holdsUncounted,
      next: { phase: "paused" },
    },
    {
      when: "resume goes on where it stopped, with patience for the next checks",
      state: paused,
      inputs: ordered({ kind: "resume", by }),
      action: { kind: "resume" },
      next: { phase: "progressing", pausedFrom: null, weight: 10, inconclusive: 0 },
    },
    {
      when: "promote wins over a failed analysis",
      state: stepOne,
      analysis: FAIL,
      inputs: ordered({ kind: "promote", by }),
      action: { kind: "promote", reason: "ada asked for it" },
      next: { phase: "promoting", weight: 100 },
    },
    {
      when: "promote cannot give traffic to a candidate that is not ready",
      state: stepOne,
      inputs: { ...unready, ...ordered({ kind: "promote", by }) },
      action: holdsUncounted,
      next: { phase: "progressing", weight: 10 },
    },
    {
      when: "rollback wins over a passed analysis",
      state: lastStep,
      analysis: PASS,
      inputs: ordered({ kind: "rollback", by }),
      action: { kind: "rollback", reason: "ada asked for it" },
      next: { phase: "rolling_back", weight: 0 },
    },
    {
      when: "rollback works while finalising",
      state: stateOf({ phase: "finalising", weight: 100 }),
      inputs: ordered({ kind: "rollback", by }),
      action: { kind: "rollback" },
      next: { phase: "rolling_back", weight: 0 },
    },
    {
      when: "a new candidate begins again from nothing",
      state: { ...stepOne, failures: 3, checks: 9 },
      inputs: ordered({ kind: "new_candidate", by, candidate: "2.0.1" }),
      action: { kind: "restart", candidate: "2.0.1" },
      next: {
        id: "rel_1",
        candidate: "2.0.1",
        revision: 2,
        phase: "initializing",
        step: 0,
        weight: 0,
        failures: 0,
        checks: 0,
        startedAtMs: START,
      },
    },
    {
      when: "a new candidate comes too late once all requests are on the old one",
      state: stateOf({ phase: "promoting", weight: 100 }),
      inputs: ordered({ kind: "new_candidate", by, candidate: "2.0.1" }),
      action: holdsUncounted,
      next: { candidate: "2.0.0", phase: "promoting" },
    },
  ]);
});

describe("what is told", () => {
  test("a decision comes with its numbers", () => {
    const { event } = decideRow({ when: "", state: stepOne, analysis: PASS, action: {} });
    expect(event).toMatchObject({
      type: "Normal",
      action: "advance",
      releaseId: "rel_1",
      phase: "progressing",
      step: 2,
      steps: 3,
      weight: 20,
      message: "2.0.0 goes on to step 2 of 3 with 20 %.",
      checks: PASS.checks,
      atMs: NOW,
    });
  });

  test("a failed check and a rollback are warnings", () => {
    const once = decideRow({ when: "", state: stepOne, analysis: FAIL, action: {} });
    expect(once.event?.type).toBe("Warning");
    const state = { ...stepOne, failures: 4 };
    const back = decideRow({ when: "", state, analysis: FAIL, action: {} });
    expect(back.event).toMatchObject({
      type: "Warning",
      message: "All requests go back to 1.0.0: success-rate: 50 % of 200.",
      weight: 0,
    });
  });

  test("when nothing has changed there is nothing to store", () => {
    const { next } = decideRow({ when: "", state: stepOne, nowMs: NOW - 1, action: {} });
    expect(next).toBe(stepOne);
  });

  test("between checks, and while hooks are asked, nothing is told", () => {
    const early = decideRow({ when: "", state: stepOne, nowMs: NOW - 1, action: {} });
    expect(early.event).toBeNull();
    const plan = planOf({}, ["rollout"]);
    expect(decideRow({ when: "", state: stepOne, plan, action: {} }).event).toBeNull();
  });
});
