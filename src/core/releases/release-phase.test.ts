import { expect, test } from "vitest";
import { SluiceError } from "../errors.ts";
import {
  assertPhaseStep,
  isFinishedPhase,
  isLegalPhaseStep,
  isPausable,
  RELEASE_PHASES,
} from "./release-phase.ts";
import { createReleaseState, enterPhase, restartRelease } from "./release-state.ts";

const state = createReleaseState({ id: "r", model: "m", stable: "1", candidate: "2" }, 0);

test("a release can be rolled back from every phase in which it is not finished or on its way back", () => {
  const refused = RELEASE_PHASES.filter((phase) => !isLegalPhaseStep(phase, "rolling_back"));
  expect(refused).toEqual(["rolling_back", "succeeded", "failed"]);
});

test("nothing leaves a finished phase", () => {
  for (const from of RELEASE_PHASES.filter(isFinishedPhase)) {
    for (const to of RELEASE_PHASES) expect(isLegalPhaseStep(from, to)).toBe(false);
  }
});

test("what can be paused can be resumed", () => {
  const pausable = RELEASE_PHASES.filter(isPausable);
  expect(pausable).toEqual(["initializing", "waiting", "progressing", "waiting_promotion"]);
  for (const phase of pausable) expect(isLegalPhaseStep("paused", phase)).toBe(true);
});

test("a step that is not in the table is a bug", () => {
  expect(() => assertPhaseStep("initializing", "succeeded")).toThrow(SluiceError);
  expect(() => enterPhase(state, "finalising", 0, null)).toThrow(
    "A release cannot go from initializing to finalising.",
  );
  expect(() => restartRelease({ ...state, phase: "promoting" }, "3", 0)).toThrow(SluiceError);
});

test("the candidate has everything from the promotion on, and nothing on the way back", () => {
  const progressing = { ...enterPhase(state, "progressing", 1, null), weight: 30, step: 2 };
  expect(enterPhase(progressing, "waiting_promotion", 2, null).weight).toBe(30);
  const promoting = enterPhase(progressing, "promoting", 2, null);
  expect(promoting).toMatchObject({ weight: 100, phaseStartedAtMs: 2, finishedAtMs: null });
  const back = enterPhase(promoting, "rolling_back", 3, "it was slow");
  expect(back).toMatchObject({ weight: 0, reason: "it was slow" });
  expect(enterPhase(back, "failed", 4, back.reason)).toMatchObject({ weight: 0, finishedAtMs: 4 });
});
