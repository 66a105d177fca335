import { readFreeMemory } from "../backends/onnx/placement/free-memory.ts";
import { asksEngines } from "../config/for-role.ts";
import type { Config } from "../config/schema.ts";
import { assertRoom } from "../core/models/memory-need.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { ModelRegistry } from "../core/models/registry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ModelPackage, ModelSource } from "../core/ports/model-source.ts";
import type { ReleaseTraffic } from "../core/releases/release-traffic.ts";
import { watchPackages } from "../workers/package-watch.ts";

/** The part of the composition root that keeps an eye on packages that come and go. */

/** A watch that has not begun yet. */
export interface LocalWatch {
  start(): void;
  /** Resolves when a look under way is over. */
  stop(): Promise<void>;
}

export interface LocalWatchSurroundings {
  readonly source: ModelSource;
  readonly control: ModelControl;
  readonly registry: ModelRegistry;
  readonly releases: ReleaseTraffic;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly isOnDemand: (model: string) => boolean;
}

export function createLocalWatch(
  config: Config,
  { releases, ...surroundings }: LocalWatchSurroundings,
): LocalWatch {
  const { watchMs } = config.models;
  let stop: () => Promise<void> = async () => {};
  return {
    start: () => {
      // Who asks engines has no packages of its own.
      if (watchMs === 0 || asksEngines(config)) return;
      const watch = watchPackages({
        ...surroundings,
        intervalMs: watchMs,
        isNeeded: (model, version) => {
          const split = releases.find(model)?.split;
          if (split?.stable === version) return true;
          // A candidate that could not be loaded again must not go live.
          return split?.candidate === version && split.candidateWeight >= 100;
        },
        owns: () => true,
      });
      // What is there now is what was loaded.
      void watch.look();
      stop = watch.stop;
    },
    stop: () => stop(),
  };
}

/** Refuses packages for which there is no room in memory. */
export function createRoomCheck({ models }: Config): (modelPackage: ModelPackage) => void {
  const reserveBytes = models.memoryReserveMb * 1024 * 1024;
  return ({ modelBytes }) => {
    if (reserveBytes > 0 && modelBytes > 0) assertRoom(modelBytes, readFreeMemory(), reserveBytes);
  };
}
