import { describe, expect, test } from "vitest";
import {
  decideRow,
  FAIL,
  holdsUncounted,
  lastStep,
  NOW,
  PASS,
  planOf,
  START,
  stateOf,
  stepOne,
  table,
  unready,
} from "../../../test/support/decision-rows.ts";
import type { ReleaseCommand } from "./release-command.ts";

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
