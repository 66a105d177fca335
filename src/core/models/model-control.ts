import { SluiceError } from "../errors.ts";
import type { DiscoveredPackage, ModelSource } from "../ports/model-source.ts";
import type { InTurn, LoadModelsOptions, LoadOutcome } from "./load-models.ts";
import { bringUp, followSource, loadModel, unloadModels, unloadVersion } from "./load-models.ts";

/** Loads and unloads models while others serve, one after the other. */
export interface ModelControl {
  /**
   * Loads every version of a model that is not ready. One that is stays as it is.
   *
   * @throws SluiceError see `loadModel`
   */
  load(model: string): Promise<void>;
  /**
   * Answers what its versions have accepted, then frees them.
   *
   * @throws SluiceError `not_found` when nobody knows the model
   */
  unload(model: string): Promise<void>;
  /**
   * Loads one version, unless it is ready or on its way.
   *
   * @throws SluiceError `not_found` when the source has no such version, and the reason when it fails
   */
  loadVersion(model: string, version: string): Promise<void>;
  /**
   * Answers what one version has accepted, then frees it. Nothing when it is not ready.
   *
   * @throws SluiceError `not_found` when nobody knows it
   */
  unloadVersion(model: string, version: string): Promise<void>;
  /** Loads a package that was found, unless its version is ready or on its way. @returns why it failed */
  loadFound(found: DiscoveredPackage): Promise<SluiceError | undefined>;
  /**
   * Makes what serves what a source has now: loads what is new in it or failed before, and unloads what came from it and
   * is gone.
   *
   * @throws SluiceError `unavailable` when the source cannot be read; then nothing changes
   */
  follow(source: ModelSource): Promise<void>;
}

/** Two callers at once would otherwise take the same version through its states together. */
export function createModelControl(options: LoadModelsOptions): ModelControl {
  let last: Promise<unknown> = Promise.resolve();
  const followed = new Map<ModelSource, Set<string>>();
  const inTurn: InTurn = (act) => {
    const turn = last.then(act);
    last = turn.catch(() => {});
    return turn;
  };
  /** Whoever fetches does not keep others from their turn. */
  const bring = (found: DiscoveredPackage): Promise<LoadOutcome> =>
    found.fetch === undefined
      ? inTurn(() => bringUp(found, options))
      : bringUp(found, options, inTurn);
  return {
    load: (model) => loadModel(model, options, bring),
    unload: (model) =>
      inTurn(async () => {
        options.registry.assertKnown(model);
        await unloadModels(options.registry, model);
      }),
    loadVersion: async (model, version) => {
      const packages = await options.source.list();
      const found = packages.find((one) => one.model === model && one.version === version);
      if (found === undefined) {
        const problem = `is not in ${options.source.description}`;
        const details = [{ field: "version", problem }];
        throw new SluiceError("not_found", `There is no ${model} ${version}.`, { details });
      }
      const { error } = await bring(found);
      if (error !== undefined) throw error;
    },
    unloadVersion: (model, version) =>
      inTurn(async () => {
        if (options.registry.stateOf(model, version) === undefined) {
          throw new SluiceError("not_found", `There is no ${model} ${version}.`);
        }
        await unloadVersion(options.registry, { model, version });
      }),
    loadFound: async (found) => (await bring(found)).error,
    follow: (source) =>
      inTurn(() => {
        const own = followed.get(source) ?? new Set();
        followed.set(source, own);
        return followSource({ ...options, source }, own);
      }),
  };
}
