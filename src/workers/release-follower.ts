import { toSluiceError } from "../core/errors.ts";
import type { ModelRegistry } from "../core/models/registry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ReleaseStore, StoredRelease } from "../core/ports/release-store.ts";
import { listComparisons } from "../core/releases/compare-outputs.ts";
import { isFinishedPhase } from "../core/releases/release-phase.ts";
import { readReadiness } from "../core/releases/release-service.ts";
import type { ObservedSplit, ReleaseTraffic } from "../core/releases/release-traffic.ts";
import { toTrafficSplit } from "../core/releases/to-traffic-split.ts";

export interface ReleaseFollowerOptions {
  readonly store: ReleaseStore;
  readonly traffic: ReleaseTraffic;
  readonly registry: ModelRegistry;
  readonly clock: Pick<Clock, "setTimer">;
  readonly logger: Logger;
  /** Unique to this process and its start. */
  readonly replica: string;
  /** From one look at the store to the next: within so long this process routes as all others do. */
  readonly pollMs: number;
}

export interface ReleaseFollower {
  /** Looks once: routes as the store says, and tells it what was seen. Never rejects. */
  look(): Promise<void>;
  /** Resolves when a look under way is over. */
  stop(): Promise<void>;
}

/**
 * Has this process route as the store of releases says, and tells the store what this process sees of both versions. While
 * the store cannot be read, requests go as they went; a version that breaks meanwhile gets none.
 */
export function startReleaseFollower(options: ReleaseFollowerOptions): ReleaseFollower {
  const { store, traffic, registry, clock, logger, replica, pollMs } = options;
  const told = new Map<string, string>();
  let revision = 0;
  let releases: readonly StoredRelease[] = [];
  let splits = "";
  let isDark = false;
  const route = () => {
    const next = new Map<string, ObservedSplit>();
    for (const release of releases) {
      const split = toSplit(release, registry);
      if (split !== undefined) next.set(release.state.model, split);
    }
    registry.labelReleased(listLabels(next));
    const rendered = JSON.stringify([...next]);
    if (rendered === splits) return;
    splits = rendered;
    traffic.replace(next);
  };
  const read = async () => {
    const latest = await store.readRevision();
    if (latest === revision) return;
    releases = await store.listCurrent();
    revision = latest;
  };
  const tell = async () => {
    for (const { state } of releases) {
      const released = traffic.find(state.model);
      if (isFinishedPhase(state.phase) || released === undefined) continue;
      const { split, recorders } = released;
      const { windowStartedAtMs } = split;
      if (split.releaseId !== state.id || windowStartedAtMs !== state.windowStartedAtMs) continue;
      const stable = recorders.stable.read();
      const candidate = recorders.candidate.read();
      const rendered = JSON.stringify([windowStartedAtMs, stable, candidate]);
      if (told.get(state.id) === rendered) continue;
      await store.observe(state.id, { replica, windowStartedAtMs, stable, candidate });
      told.set(state.id, rendered);
    }
    for (const id of told.keys()) {
      if (!releases.some(({ state }) => state.id === id)) told.delete(id);
    }
  };
  const lookOnce = async () => {
    try {
      await read();
      route();
      await tell();
      if (isDark) logger.info("The store of releases can be read again.", {});
      isDark = false;
    } catch (thrown) {
      // Versions come and go also while nobody can say anything about releases.
      route();
      const { message: reason } = toSluiceError(thrown);
      if (!isDark) {
        logger.warn("The store of releases cannot be read; requests go as they went.", { reason });
      }
      isDark = true;
    }
  };
  return startLooking(lookOnce, { clock, pollMs });
}

/** One look at a time, each some time after the last; and at once when somebody asks. */
export function startLooking(
  lookOnce: () => Promise<void>,
  { clock, pollMs }: { readonly clock: Pick<Clock, "setTimer">; readonly pollMs: number },
): ReleaseFollower {
  let stopped = false;
  let cancel = () => {};
  let current = Promise.resolve();
  const look = () => {
    cancel();
    current = current.then(async () => {
      if (stopped) return;
      await lookOnce();
      cancel();
      if (!stopped) cancel = clock.setTimer(pollMs, () => void look());
    });
    return current;
  };
  cancel = clock.setTimer(pollMs, () => void look());
  return {
    look,
    stop: async () => {
      stopped = true;
      cancel();
      await current;
    },
  };
}

/** @returns undefined when the release has no say any more: what it left standing is gone */
function toSplit(release: StoredRelease, registry: ModelRegistry): ObservedSplit | undefined {
  const { plan, state } = release;
  const ready = readReadiness(registry, state);
  const isOver = isFinishedPhase(state.phase);
  if (isOver) {
    // Whoever chose a version afterwards knew how the release had ended.
    const pinnedAtMs = registry.choiceOf(state.model)?.pinnedAtMs ?? Number.NEGATIVE_INFINITY;
    if (pinnedAtMs >= (state.finishedAtMs ?? 0)) return undefined;
    const isWinnerReady = state.phase === "succeeded" ? ready.candidate : ready.stable;
    if (!isWinnerReady) return undefined;
  }
  const { windowStartedAtMs } = state;
  const comparisons = listComparisons(plan);
  return { ...toTrafficSplit(plan, state, ready), windowStartedAtMs, isOver, comparisons };
}

/** Callers may name the versions of a release that is under way, and the one that another has left. */
function listLabels(splits: ReadonlyMap<string, ObservedSplit>) {
  const labels = new Map<string, Readonly<Record<string, string>>>();
  for (const [model, { stable, candidate, candidateWeight, isOver }] of splits) {
    if (!isOver) labels.set(model, { stable, canary: candidate });
    else labels.set(model, { stable: candidateWeight >= 100 ? candidate : stable });
  }
  return labels;
}
