import type { ModelRegistry } from "../models/registry.ts";
import { compareVersions } from "../models/version-number.ts";
import { isFinishedPhase } from "./release-phase.ts";
import type { ReleasePlan } from "./release-plan.ts";
import type { ReleaseService } from "./release-service.ts";

export interface SelfStart {
  readonly service: ReleaseService;
  readonly registry: ModelRegistry;
  /** @throws SluiceError for a plan that does not fit the model */
  readonly planOf: (model: string, candidate: string) => ReleasePlan;
}

/** Who it was, in histories. */
const BY = "configuration";
/** Releases of a model that are looked at for one of the same version. */
const LOOKED_BACK = 50;

/**
 * Releases a version that has just become ready, if it is newer than the one that answers, and none of it was there before: what went
 * back once does not try again by itself. A release under way of an older version begins again with this one.
 *
 * @returns what was done
 * @throws SluiceError with the reason why it cannot be released
 */
export async function startByItself(
  model: string,
  version: string,
  { service, registry, planOf }: SelfStart,
): Promise<"started" | "restarted" | "nothing"> {
  const { serving, tensors } = registry.resolveAny(model, undefined);
  const answering = serving?.manifest.version ?? tensors?.manifest.version ?? version;
  if (compareVersions(version, answering) <= 0) return "nothing";
  const releases = await service.list({ model, limit: LOOKED_BACK });
  if (releases.some(({ state }) => state.candidate === version)) return "nothing";
  const [newest] = releases;
  if (newest === undefined || isFinishedPhase(newest.state.phase)) {
    await service.start(planOf(model, version), BY);
    return "started";
  }
  if (compareVersions(version, newest.state.candidate) <= 0) return "nothing";
  const command = { kind: "new_candidate", by: BY, candidate: version } as const;
  await service.command(newest.state.id, command);
  return "restarted";
}
