import type { TrafficSplit } from "./assign-version.ts";
import type { ReleasePhase } from "./release-phase.ts";
import type { ReleasePlan } from "./release-plan.ts";
import { mirrorShareOf } from "./release-plan.ts";
import type { ReleaseState } from "./release-state.ts";

/** Which of the two versions can answer just now. */
export interface Readiness {
  readonly stable: boolean;
  readonly candidate: boolean;
}

/** Phases in which requests may be matched and mirrored; a pause stops neither, so that the numbers go on. */
const UNDER_WAY: readonly ReleasePhase[] = ["progressing", "waiting_promotion", "paused"];

/**
 * How requests are divided. A version that is not ready gets nothing, whatever the phase wants; then the other one has
 * everything, the candidate of a release that is being rolled back too, since the alternative is nobody. Pure.
 */
export function toTrafficSplit(
  plan: ReleasePlan,
  state: ReleaseState,
  ready: Readiness,
): TrafficSplit {
  const candidateWeight = limitWeight(state.weight, ready);
  const isUnderWay = ready.candidate && state.step > 0 && UNDER_WAY.includes(state.phase);
  const { strategy } = plan;
  return {
    releaseId: state.id,
    stable: state.stable,
    candidate: state.candidate,
    stableWeight: (10_000 - Math.round(candidateWeight * 100)) / 100,
    candidateWeight,
    matches: isUnderWay && strategy.kind === "ab" ? strategy.matches : [],
    mirrorShare: isUnderWay && ready.stable ? mirrorShareOf(plan) : 0,
    stickyBy: plan.stickyBy,
  };
}

function limitWeight(weight: number, ready: Readiness): number {
  if (!ready.candidate) return 0;
  return ready.stable ? Math.round(weight * 100) / 100 : 100;
}
