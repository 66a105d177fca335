import { SluiceError } from "../errors.ts";

/**
 * Where a release stands, by Flagger's names where it has one for it. Every legal step is in this table; anything else
 * is a bug. Whatever is not finished can be rolled back.
 *
 * initializing: the candidate is loaded and warmed · waiting: `confirm-rollout` has not said yes · progressing: steps or
 * iterations, one check each · waiting_promotion: passed, and nobody has said yes to the rest · promoting: the candidate
 * has everything and is watched once more, stable is still loaded · finalising: the candidate becomes stable ·
 * paused: a person has to decide · rolling_back: stable has everything, the candidate is put away · succeeded · failed
 *
 * The step to `initializing` is a new candidate: the release begins again.
 */
const NEXT_PHASES = {
  initializing: ["waiting", "progressing", "promoting", "paused", "rolling_back", "initializing"],
  waiting: ["progressing", "promoting", "paused", "rolling_back", "initializing"],
  progressing: ["waiting_promotion", "promoting", "paused", "rolling_back", "initializing"],
  waiting_promotion: ["promoting", "paused", "rolling_back", "initializing"],
  promoting: ["finalising", "rolling_back"],
  finalising: ["succeeded", "rolling_back"],
  paused: [
    "initializing",
    "waiting",
    "progressing",
    "waiting_promotion",
    "promoting",
    "rolling_back",
  ],
  rolling_back: ["failed"],
  succeeded: [],
  failed: [],
} as const satisfies Record<string, readonly string[]>;

export type ReleasePhase = keyof typeof NEXT_PHASES;

export const RELEASE_PHASES = Object.keys(NEXT_PHASES) as readonly ReleasePhase[];

/** Phases that a pause can interrupt, and that are taken up again after it. */
export type PausablePhase = "initializing" | "waiting" | "progressing" | "waiting_promotion";

/** Whether nothing happens to the release any more. */
export function isFinishedPhase(phase: ReleasePhase): boolean {
  return phase === "succeeded" || phase === "failed";
}

/** Whether a person may pause the release here: later it is nearly over, and going on is safer than standing still. */
export function isPausable(phase: ReleasePhase): phase is PausablePhase {
  return isLegalPhaseStep(phase, "paused");
}

/** Whether a release may go from `from` to `to` in one step. */
export function isLegalPhaseStep(from: ReleasePhase, to: ReleasePhase): boolean {
  const next: readonly ReleasePhase[] = NEXT_PHASES[from];
  return next.includes(to);
}

/** @throws SluiceError `internal` when the step is not in the table. */
export function assertPhaseStep(from: ReleasePhase, to: ReleasePhase): void {
  if (isLegalPhaseStep(from, to)) return;
  throw new SluiceError("internal", `A release cannot go from ${from} to ${to}.`);
}
