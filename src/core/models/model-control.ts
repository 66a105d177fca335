import type { ModelSource } from "../ports/model-source.ts";
import type { LoadModelsOptions } from "./load-models.ts";
import { followSource, loadModel, unloadModels } from "./load-models.ts";

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
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const turn = last.then(act);
    last = turn.catch(() => {});
    return turn;
  };
  return {
    load: (model) => inTurn(() => loadModel(model, options)),
    unload: (model) =>
      inTurn(async () => {
        options.registry.assertKnown(model);
        await unloadModels(options.registry, model);
      }),
    follow: (source) =>
      inTurn(() => {
        const own = followed.get(source) ?? new Set();
        followed.set(source, own);
        return followSource({ ...options, source }, own);
      }),
  };
}
