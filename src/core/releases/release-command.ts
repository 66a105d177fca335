import { isFinishedPhase, isLegalPhaseStep, isPausable } from "./release-phase.ts";
import type { ReleaseState } from "./release-state.ts";
import type { Readiness } from "./to-traffic-split.ts";

/** What a person, or whoever publishes versions, wants of a release. It is done before anything else is looked at. */
export type ReleaseCommand =
  | { readonly kind: "pause"; readonly by: string }
  | { readonly kind: "resume"; readonly by: string }
  /** Everything to the candidate now, whatever has been passed. */
  | { readonly kind: "promote"; readonly by: string }
  | { readonly kind: "rollback"; readonly by: string }
  /** There is a newer candidate: the release begins again with it. The plan that is decided by names it from then on. */
  | { readonly kind: "new_candidate"; readonly by: string; readonly candidate: string };

/** Why a command cannot be followed just now, as a sentence; null when it can. */
export function findCommandProblem(
  state: ReleaseState,
  command: ReleaseCommand,
  ready: Readiness,
): string | null {
  const { phase } = state;
  if (isFinishedPhase(phase)) return `The release has ${phase}; start another one.`;
  switch (command.kind) {
    case "pause":
      return isPausable(phase) ? null : `A release that is ${phase} cannot be paused.`;
    case "resume":
      return phase === "paused" ? null : `The release is ${phase}, not paused.`;
    case "promote":
      if (!isLegalPhaseStep(phase, "promoting")) return `The release is ${phase} already.`;
      return ready.candidate ? null : "The candidate is not ready; promote it when it is.";
    case "rollback":
      return phase === "rolling_back" ? "The release is being rolled back already." : null;
    case "new_candidate":
      if (isLegalPhaseStep(phase, "initializing")) return null;
      return `The release is ${phase}; start another one when it has ended.`;
  }
}
