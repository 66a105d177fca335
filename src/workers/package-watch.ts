import { toSluiceError } from "../core/errors.ts";
import type { WatchedPackage } from "../core/models/decide-watch.ts";
import { decideWatch, rememberLook } from "../core/models/decide-watch.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { ModelRegistry, VersionStatus } from "../core/models/registry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { DiscoveredPackage, ModelSource } from "../core/ports/model-source.ts";
import type { ReleaseFollower } from "./release-follower.ts";
import { startLooking } from "./release-follower.ts";

export interface PackageWatchOptions {
  readonly source: ModelSource;
  readonly control: Pick<ModelControl, "loadFound" | "unloadVersion">;
  readonly registry: ModelRegistry;
  readonly clock: Pick<Clock, "setTimer" | "nowMs">;
  readonly logger: Logger;
  /** From the end of one look to the beginning of the next. */
  readonly intervalMs: number;
  /** Whether a model is loaded when somebody first asks for it, and not before. */
  readonly isOnDemand: (model: string) => boolean;
  /** Whether a version must go on serving though its package is gone, e.g. because a release is about it. */
  readonly isNeeded: (model: string, version: string) => boolean;
}

/** When a package is tried again that failed for want of something that may come, such as memory. */
const RETRY_MS = 30_000;

/**
 * Follows a source of packages: loads what is new, once its files have stopped changing, beside what serves; unloads what is
 * gone. A source that cannot be read changes nothing.
 */
export function watchPackages(options: PackageWatchOptions): ReleaseFollower {
  const { source, logger, clock, intervalMs } = options;
  const watched = new Map<string, WatchedPackage>();
  let isFirst = true;
  let isDark = false;
  const lookOnce = async () => {
    try {
      const packages = await source.list();
      const looks: unknown[] = [];
      for (const found of packages) {
        await lookAt(found, { options, watched, isFirst }).catch((thrown) => looks.push(thrown));
      }
      await lookForGone(packages, { options, watched });
      // The others were looked at all the same.
      if (looks.length > 0) throw looks[0];
      if (isDark) logger.info("Packages can be seen again.", { source: source.description });
      isDark = false;
      isFirst = false;
    } catch (thrown) {
      const { message: reason } = toSluiceError(thrown);
      const fields = { source: source.description, reason };
      // Once, and not again every other second.
      if (!isDark) logger.warn("Packages cannot be seen; what serves goes on.", fields);
      isDark = true;
    }
  };
  return startLooking(lookOnce, { clock, pollMs: intervalMs });
}

interface Look {
  readonly options: PackageWatchOptions;
  readonly watched: Map<string, WatchedPackage>;
}

async function lookAt(
  found: DiscoveredPackage,
  { options, watched, isFirst }: Look & { readonly isFirst: boolean },
): Promise<void> {
  const { registry, control, clock, logger } = options;
  const { model, version } = found;
  const key = toKey(found);
  const before = watched.get(key);
  const fingerprint = (await found.fingerprint?.()) ?? "";
  const state = registry.stateOf(model, version);
  // What was loaded at the start was loaded with the files that are there now, as far as anybody can tell.
  if (isFirst && state !== undefined) {
    watched.set(key, rememberLook(fingerprint, before, { isTried: true, retryAtMs: undefined }));
    return;
  }
  const move = decideWatch(fingerprint, before, state, clock.nowMs());
  let retryAtMs: number | undefined;
  if (move === "load") {
    if (options.isOnDemand(model) && isAsleep(registry, model)) registry.discover(model, version);
    else {
      const error = await control.loadFound(found);
      if (error?.code === "unavailable") retryAtMs = clock.nowMs() + RETRY_MS;
    }
  }
  if (move === "warn") {
    const fix = "give it another version number";
    logger.warn(`The files of a version that serves have changed; they are not loaded, ${fix}.`, {
      ...{ model, version },
    });
  }
  const isTried = move === "load" || move === "warn";
  watched.set(key, rememberLook(fingerprint, before, { isTried, retryAtMs }));
}

/** A model that nobody has asked for yet, or that is not there at all. */
function isAsleep(registry: ModelRegistry, model: string): boolean {
  return registry.list().every((one) => one.model !== model || one.state === "discovered");
}

async function lookForGone(
  packages: readonly DiscoveredPackage[],
  { options, watched }: Look,
): Promise<void> {
  const there = new Set(packages.map(toKey));
  for (const [key, before] of watched) {
    if (there.has(key)) continue;
    const [model = "", version = ""] = key.split("\n");
    const status = options.registry
      .list()
      .find((one) => one.model === model && one.version === version);
    if (status !== undefined) await putAway(status, before, options);
    watched.set(key, { ...before, isGone: true });
  }
}

async function putAway(
  status: VersionStatus,
  { isGone }: WatchedPackage,
  { registry, control, logger, isNeeded }: PackageWatchOptions,
): Promise<void> {
  const { model, version, state } = status;
  if (state === "failed" || state === "discovered") registry.forget(model, version);
  if (state !== "ready") return;
  const others = registry.list().filter((one) => one.model === model && one.state === "ready");
  if (others.length > 1 && !isNeeded(model, version)) {
    await control.unloadVersion(model, version);
    logger.info("A version whose package is gone was unloaded.", { model, version });
    return;
  }
  if (isGone) return;
  const message =
    "The package of a version that is needed is gone; it serves until this process ends.";
  logger.warn(message, { model, version });
}

function toKey({ model, version }: { readonly model: string; readonly version: string }): string {
  return `${model}\n${version}`;
}
