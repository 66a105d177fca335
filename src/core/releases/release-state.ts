import type { PausablePhase, ReleasePhase } from "./release-phase.ts";
import { assertPhaseStep, isFinishedPhase } from "./release-phase.ts";

/**
 * Everything that has to be known to go on with a release, beside its plan. Plain JSON, kept in the record store, so
 * that another replica goes on where one stopped. Times are milliseconds since 1970 by the clock of whoever decides.
 */
export interface ReleaseState {
  /** Unique; part of every draw, so that each release begins with other callers. */
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
  /** 1, and one more for each new candidate. */
  readonly revision: number;
  readonly phase: ReleasePhase;
  /** Where a resumed release goes on; null unless paused. */
  readonly pausedFrom: PausablePhase | null;
  /** Step or iteration that is under way, from 1; 0 = no traffic and no copies yet. */
  readonly step: number;
  /** Percent of the requests that the candidate is meant to have; what it really has is in the `TrafficSplit`. */
  readonly weight: number;
  /** Failed checks since the start. */
  readonly failures: number;
  readonly consecutiveFailures: number;
  /** Checks without a verdict in a row. */
  readonly inconclusive: number;
  /** Checks since the start; part of the idempotency key of hooks. */
  readonly checks: number;
  /** Checks of the present window: how often its numbers have been looked at. */
  readonly looks: number;
  /** Stored texts were replayed in the present window. Once is enough: the same texts say nothing new. */
  readonly wasReplayed: boolean;
  /** What was observed before this does not count any more. A step, and a check that failed, begin a new window. */
  readonly windowStartedAtMs: number;
  readonly checkedAtMs: number;
  /** Since when the candidate is not ready; null while it is. */
  readonly unreadySinceMs: number | null;
  readonly phaseStartedAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  /** Why the phase is what it is, as a sentence for people; null when it goes by plan. */
  readonly reason: string | null;
}

export interface NewRelease {
  readonly id: string;
  readonly model: string;
  readonly stable: string;
  readonly candidate: string;
}

/** A release that begins. */
export function createReleaseState(release: NewRelease, nowMs: number): ReleaseState {
  return {
    id: release.id,
    model: release.model,
    stable: release.stable,
    candidate: release.candidate,
    revision: 1,
    phase: "initializing",
    pausedFrom: null,
    step: 0,
    weight: 0,
    failures: 0,
    consecutiveFailures: 0,
    inconclusive: 0,
    checks: 0,
    looks: 0,
    wasReplayed: false,
    windowStartedAtMs: nowMs,
    checkedAtMs: nowMs,
    unreadySinceMs: null,
    phaseStartedAtMs: nowMs,
    startedAtMs: nowMs,
    finishedAtMs: null,
    reason: null,
  };
}

/**
 * The same release from the beginning, with another candidate; everybody is back on stable.
 *
 * @throws SluiceError `internal` from a phase in which there is no way back to the beginning
 */
export function restartRelease(
  state: ReleaseState,
  candidate: string,
  nowMs: number,
): ReleaseState {
  assertPhaseStep(state.phase, "initializing");
  const { id, model, stable, revision, startedAtMs } = state;
  return {
    ...createReleaseState({ id, model, stable, candidate }, nowMs),
    revision: revision + 1,
    startedAtMs,
  };
}

/**
 * One step of the phase table. Sets the weights that go with the phase: nothing for the candidate while the release is
 * rolled back, everything from the promotion on.
 *
 * @throws SluiceError `internal` when the step is not in the table
 */
export function enterPhase(
  state: ReleaseState,
  phase: ReleasePhase,
  nowMs: number,
  reason: string | null,
): ReleaseState {
  assertPhaseStep(state.phase, phase);
  return {
    ...state,
    phase,
    reason,
    pausedFrom: null,
    weight: weightIn(phase, state.weight),
    phaseStartedAtMs: nowMs,
    finishedAtMs: isFinishedPhase(phase) ? nowMs : null,
  };
}

/** A window that begins now: what was seen before does not count any more. */
export function beginWindow(state: ReleaseState, nowMs: number): ReleaseState {
  return { ...state, looks: 0, wasReplayed: false, windowStartedAtMs: nowMs };
}

function weightIn(phase: ReleasePhase, weight: number): number {
  if (phase === "rolling_back" || phase === "failed" || phase === "initializing") return 0;
  if (phase === "promoting" || phase === "finalising" || phase === "succeeded") return 100;
  return weight;
}
