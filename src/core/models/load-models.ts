import { toSluiceError } from "../errors.ts";
import type { BatcherOptions } from "../inference/batcher.ts";
import { Batcher } from "../inference/batcher.ts";
import { createCacheKeyPrefix } from "../inference/cache-key.ts";
import type { Backend } from "../ports/backend.ts";
import type { Clock } from "../ports/clock.ts";
import type { InferenceObserver } from "../ports/inference-observer.ts";
import type { ModelRuntime } from "../ports/model-runtime.ts";
import type { DiscoveredPackage, ModelSource } from "../ports/model-source.ts";
import type { Tokenizer } from "../ports/tokenizer.ts";
import type { ModelRegistry } from "./registry.ts";
import { TOKENIZER_FILE_KIND } from "./token-fields.ts";

export interface LoadModelsOptions {
  readonly source: ModelSource;
  readonly runtime: ModelRuntime;
  readonly registry: ModelRegistry;
  readonly clock: Clock;
  readonly limits: BatcherOptions["limits"];
  readonly observer: InferenceObserver;
}

/**
 * Brings every package of the source to `ready` or, with a reason, to `failed`. One bad package never keeps the
 * others from serving. Packages load one after another, because loading and measuring want the processor to themselves.
 *
 * @throws SluiceError `unavailable` when the source itself cannot be read.
 */
export async function loadModels(options: LoadModelsOptions): Promise<void> {
  const packages = await options.source.list();
  for (const found of packages) {
    options.registry.discover(found.model, found.version);
    await loadPackage(found, options);
  }
}

async function loadPackage(found: DiscoveredPackage, options: LoadModelsOptions): Promise<void> {
  const { registry, runtime, clock, limits } = options;
  const { model, version } = found;
  try {
    registry.transition(model, version, "verifying");
    const verified = await found.verify();
    registry.transition(model, version, "loading");
    const { tokenizer, backend } = await runtime.start(verified);
    registry.transition(model, version, "warming");
    await warmUp(backend, tokenizer);
    const observer = options.observer.forVersion(model, version);
    const batcher = new Batcher({ backend, clock, limits, observer });
    const { manifest, digest } = verified;
    registry.activate({
      manifest,
      cacheKeyPrefix: createCacheKeyPrefix({ model, version, digest }),
      readsPairs: manifest.tokenizer.kind === TOKENIZER_FILE_KIND,
      tokenizer,
      backend,
      batcher,
      observer,
    });
  } catch (thrown) {
    registry.fail(model, version, toSluiceError(thrown).message);
  }
}

/** First runs are slow and show whether the model works at all. A backend that cannot even do these is closed. */
async function warmUp(backend: Backend, tokenizer: Tokenizer): Promise<void> {
  try {
    const texts = ["warm-up", ""].flatMap((text) => tokenizer.encode(text).windows);
    await backend.run(texts);
  } catch (error) {
    await backend.close();
    throw error;
  }
}

/** Answers what was accepted, then frees all models. */
export async function unloadModels(registry: ModelRegistry): Promise<void> {
  const ready = registry.list().filter((entry) => entry.state === "ready");
  await Promise.all(
    ready.map(async ({ model, version, serving }) => {
      registry.transition(model, version, "draining");
      await serving?.batcher.drain();
      await serving?.backend.close();
      registry.transition(model, version, "unloaded");
    }),
  );
}
