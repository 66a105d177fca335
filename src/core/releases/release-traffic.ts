import type { ModelRegistry } from "../models/registry.ts";
import type { TrafficSplit } from "./assign-version.ts";
import type { OutputComparison } from "./compare-outputs.ts";
import type { ObservationRecorder } from "./observation-recorder.ts";
import { createObservationRecorder } from "./observation-recorder.ts";

export type ReleaseRole = "stable" | "candidate";

/** A split with the window that its answers are observed in. */
export interface ObservedSplit extends TrafficSplit {
  /** As in `ReleaseState`: another window begins with new counts. */
  readonly windowStartedAtMs: number;
  /** The release has ended; what it decided goes on. */
  readonly isOver: boolean;
  /** What of answers to the same question is compared, beside best labels. */
  readonly comparisons: readonly OutputComparison[];
}

/** How the requests of a model are divided in this process, and what is seen of both versions. */
export interface ReleasedModel {
  readonly split: ObservedSplit;
  readonly recorders: Readonly<Record<ReleaseRole, ObservationRecorder>>;
}

/** Copies that may be under way at once in this process; further ones are left out, so that a slow candidate costs no memory. */
const MAX_MIRRORS = 64;

/**
 * What the request path knows of releases: a table that is replaced as a whole, so that no request sees half of a change.
 * Whoever decides and stores is elsewhere; this holds in memory what it last said.
 */
export class ReleaseTraffic {
  #models: ReadonlyMap<string, ReleasedModel> = new Map();
  #mirrors = 0;

  /** The release of a model that is under way; undefined while there is none. */
  find(model: string): ReleasedModel | undefined {
    return this.#models.get(model);
  }

  /** All that are under way, by model. */
  list(): ReadonlyMap<string, ReleasedModel> {
    return this.#models;
  }

  /** From now on requests go by these splits, one per model. Counts go on while their release and window stay the same. */
  replace(splits: ReadonlyMap<string, ObservedSplit>): void {
    const models = new Map<string, ReleasedModel>();
    for (const [model, split] of splits) {
      const known = this.#models.get(model);
      const recorders = isSameWindow(known?.split, split) ? known?.recorders : undefined;
      models.set(model, { split, recorders: recorders ?? createRecorders() });
    }
    this.#models = models;
  }

  /**
   * Takes room for a copy of a request.
   *
   * @returns what gives it back, once; undefined when there is none
   */
  enterMirror(): (() => void) | undefined {
    if (this.#mirrors >= MAX_MIRRORS) return undefined;
    this.#mirrors++;
    return () => {
      this.#mirrors--;
    };
  }
}

/** Whether a version of a release can answer just now. */
export function isReady(registry: ModelRegistry, model: string, version: string): boolean {
  return registry.stateOf(model, version) === "ready";
}

function createRecorders(): Readonly<Record<ReleaseRole, ObservationRecorder>> {
  return { stable: createObservationRecorder(), candidate: createObservationRecorder() };
}

function isSameWindow(known: ObservedSplit | undefined, split: ObservedSplit): boolean {
  if (known === undefined) return false;
  const { releaseId, candidate, windowStartedAtMs } = split;
  return (
    known.releaseId === releaseId &&
    known.candidate === candidate &&
    known.windowStartedAtMs === windowStartedAtMs
  );
}
