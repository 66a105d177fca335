import { readFreeMemory } from "../backends/onnx/placement/free-memory.ts";
import type { Config } from "../config/schema.ts";
import { assertRoom } from "../core/models/memory-need.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { ModelRegistry } from "../core/models/registry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ModelPackage, ModelSource } from "../core/ports/model-source.ts";
import type { ReleaseTraffic } from "../core/releases/release-traffic.ts";
import { watchPackages } from "../workers/package-watch.ts";
import type { ReleaseFollower } from "../workers/release-follower.ts";

/** The part of the composition root that keeps an eye on packages that come and go. */

/** A watch that has not begun yet. */
export interface LocalWatch {
  start(): void;
  /** Resolves when a look under way is over. */
  stop(): Promise<void>;
}

export interface LocalWatchSurroundings {
  /** The directory, where there is one, and what is fetched from elsewhere. */
  readonly members: readonly ModelSource[];
  readonly control: ModelControl;
  readonly registry: ModelRegistry;
  readonly releases: ReleaseTraffic;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isOnDemand: (model: string) => boolean;
}

export function createLocalWatch(
  config: Config,
  { releases, members, ...surroundings }: LocalWatchSurroundings,
): LocalWatch {
  const { watchMs, fetching } = config.models;
  const watches: ReleaseFollower[] = [];
  const isNeeded = (model: string, version: string) => {
    const split = releases.find(model)?.split;
    if (split?.stable === version) return true;
    // A candidate that could not be loaded again must not go live.
    return split?.candidate === version && split.candidateWeight >= 100;
  };
  return {
    start: () => {
      if (watchMs === 0) return;
      for (const source of members) {
        const isFetched = source.close !== undefined;
        const intervalMs = isFetched ? fetching.pollMs : watchMs;
        const watch = watchPackages({ ...surroundings, source, intervalMs, isNeeded });
        // What is there now is what was loaded.
        void watch.look();
        watches.push(watch);
      }
    },
    stop: async () => {
      await Promise.all(watches.map((watch) => watch.stop()));
    },
  };
}

/** Refuses packages for which there is no room in memory. */
export function createRoomCheck({ models }: Config): (modelPackage: ModelPackage) => void {
  const reserveBytes = models.memoryReserveMb * 1024 * 1024;
  return ({ modelBytes }) => {
    if (reserveBytes > 0 && modelBytes > 0) assertRoom(modelBytes, readFreeMemory(), reserveBytes);
  };
}
