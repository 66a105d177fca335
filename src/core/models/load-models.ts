import { SluiceError, toSluiceError } from "../errors.ts";
import type { BatcherOptions } from "../inference/batcher.ts";
import { Batcher } from "../inference/batcher.ts";
import { createCacheKeyPrefix } from "../inference/cache-key.ts";
import type { Backend } from "../ports/backend.ts";
import type { Clock } from "../ports/clock.ts";
import type { InferenceObserver } from "../ports/inference-observer.ts";
import type { ModelRuntime, StartedTensorModel, StartedTextModel } from "../ports/model-runtime.ts";
import type { DiscoveredPackage, ModelPackage, ModelSource } from "../ports/model-source.ts";
import type { TensorBackend } from "../ports/tensor-backend.ts";
import type { Tokenizer } from "../ports/tokenizer.ts";
import { mayJoinRows } from "../tensors/join-rows.ts";
import { TensorQueue } from "../tensors/tensor-queue.ts";
import type { TensorManifest, TextManifest } from "./manifest.ts";
import type { ModelRegistry, VersionStatus } from "./registry.ts";
import { VersionStatistics } from "./version-statistics.ts";

export interface LoadModelsOptions {
  readonly source: ModelSource;
  readonly runtime: ModelRuntime;
  readonly registry: ModelRegistry;
  readonly clock: Clock;
  readonly limits: BatcherOptions["limits"];
  readonly observer: InferenceObserver;
  /** Throws SluiceError `unavailable` when there is no room for a package that is to be loaded. */
  readonly assertRoom?: (modelPackage: ModelPackage) => void;
  /** Whether a model is loaded when somebody first asks for it, and not before. */
  readonly isOnDemand?: (model: string) => boolean;
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
    if (options.isOnDemand?.(found.model) !== true) await loadPackage(found, options, atOnce);
  }
}

/** Does something when it is its turn. What is fetched takes its time, and holds up nobody. */
export type InTurn = <Result>(act: () => Promise<Result>) => Promise<Result>;

const atOnce: InTurn = (act) => act();

/** @returns why it failed; undefined when it is ready */
async function loadPackage(
  found: DiscoveredPackage,
  options: LoadModelsOptions,
  inTurn: InTurn,
): Promise<SluiceError | undefined> {
  const { registry } = options;
  const { model, version } = found;
  try {
    if (found.fetch !== undefined) {
      registry.transition(model, version, "fetching");
      await found.fetch();
    }
    await inTurn(() => loadFiles(found, options));
    return undefined;
  } catch (thrown) {
    const error = toSluiceError(thrown);
    registry.fail(model, version, error.message);
    return error;
  }
}

async function loadFiles(found: DiscoveredPackage, options: LoadModelsOptions): Promise<void> {
  const { registry, runtime } = options;
  const { model, version } = found;
  registry.transition(model, version, "verifying");
  const verified = await found.verify();
  const { manifest } = verified;
  options.assertRoom?.(verified);
  registry.transition(model, version, "loading");
  const started = await runtime.start(verified);
  registry.transition(model, version, "warming");
  if (started.kind === "text" && manifest.task !== "tensor") {
    await activateTexts({ ...verified, manifest }, started, options);
  } else if (started.kind === "tensor" && manifest.task === "tensor") {
    await activateTensors({ ...verified, manifest }, started, options);
  } else {
    await started.backend.close();
    throw new SluiceError("internal", `The runtime started ${model} as a ${started.kind} model.`);
  }
}

async function activateTexts(
  { manifest, digest }: ModelPackage & { readonly manifest: TextManifest },
  { tokenizer, backend, inspector, readsPairs, isRemote }: StartedTextModel,
  { registry, clock, limits, observer: observers }: LoadModelsOptions,
): Promise<void> {
  const { name: model, version } = manifest;
  if (isRemote !== true) await warmUp(backend, tokenizer);
  const observer = new VersionStatistics(clock, observers.forVersion(model, version));
  registry.activate({
    manifest,
    cacheKeyPrefix: createCacheKeyPrefix({ model, version, digest }),
    readsPairs,
    digest,
    tokenizer,
    inspector,
    backend,
    batcher: new Batcher({ backend, clock, limits, observer }),
    observer,
  });
}

/** Its backend has tried the model already, as far as that is possible without knowing what it is for. */
async function activateTensors(
  { manifest, digest }: ModelPackage & { readonly manifest: TensorManifest },
  { backend }: StartedTensorModel,
  { registry, clock, limits, observer: observers }: LoadModelsOptions,
): Promise<void> {
  const { name, version, maxJoinedRows } = manifest;
  await assertMayJoin(backend, maxJoinedRows);
  const observer = new VersionStatistics(clock, observers.forVersion(name, version));
  const queue = new TensorQueue({ backend, clock, limits, maxJoinedRows, observer });
  registry.activateTensors({ manifest, digest, backend, queue, observer });
}

async function assertMayJoin(backend: TensorBackend, maxJoinedRows: number): Promise<void> {
  if (maxJoinedRows === 1 || mayJoinRows(backend.signature)) return;
  await backend.close();
  const needed = "the first size of every input and output must be open";
  throw new SluiceError("invalid_argument", `maxJoinedRows does not fit the graph: ${needed}.`);
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

/** Answers what was accepted, then frees all models, or those of one name. */
export async function unloadModels(registry: ModelRegistry, model?: string): Promise<void> {
  const ready = registry
    .list()
    .filter((entry) => entry.state === "ready" && (model === undefined || entry.model === model));
  await Promise.all(ready.map((status) => unloadVersion(registry, status)));
}

/** Answers what one version has accepted, then frees it. Nothing when it is not ready. */
export async function unloadVersion(
  registry: ModelRegistry,
  { model, version }: Pick<VersionStatus, "model" | "version">,
): Promise<void> {
  const found = registry.list().find((one) => one.model === model && one.version === version);
  if (found?.state !== "ready") return;
  const { serving, tensors } = found;
  registry.transition(model, version, "draining");
  await Promise.all([serving?.batcher.drain(), tensors?.queue.drain()]);
  await Promise.all([serving?.backend.close(), tensors?.backend.close()]);
  registry.transition(model, version, "unloaded");
}

/** What became of a version that was to be loaded. */
export interface LoadOutcome {
  /** Whether it was loaded here, well or not; false when it is ready or on its way already. */
  readonly wasTried: boolean;
  /** Why it failed. */
  readonly error: SluiceError | undefined;
}

/**
 * Loads a version unless it is ready or on its way.
 *
 * @param inTurn what is done about files that are here waits for it; a package without `fetch` must have its turn already
 */
export async function bringUp(
  found: DiscoveredPackage,
  options: LoadModelsOptions,
  inTurn: InTurn = atOnce,
): Promise<LoadOutcome> {
  const { registry } = options;
  const { model, version } = found;
  const state = registry.stateOf(model, version);
  if (state === undefined) registry.discover(model, version);
  else if (state === "unloaded" || state === "failed") {
    registry.transition(model, version, "discovered");
  } else if (state !== "discovered") return { wasTried: false, error: undefined };
  return { wasTried: true, error: await loadPackage(found, options, inTurn) };
}

/**
 * Loads what the source has and nobody serves, and unloads what came from it and is no more there.
 *
 * @param followed versions that came from this source so far; kept up to date here
 * @throws SluiceError `unavailable` when the source itself cannot be read; then nothing changes
 */
export async function followSource(
  options: LoadModelsOptions,
  followed: Set<string>,
): Promise<void> {
  const { registry, source } = options;
  const packages = await source.list();
  for (const found of packages) {
    const { wasTried } = await bringUp(found, options);
    if (wasTried) followed.add(toVersionKey(found));
  }
  const there = new Set(packages.map(toVersionKey));
  const gone = registry
    .list()
    .filter(({ state }) => state === "ready")
    .filter((status) => followed.has(toVersionKey(status)) && !there.has(toVersionKey(status)));
  await Promise.all(gone.map((status) => unloadVersion(registry, status)));
}

function toVersionKey({ model, version }: { readonly model: string; readonly version: string }) {
  return `${model}\n${version}`;
}

/**
 * Brings every version of one model to `ready` that is not, as far as the source has it: new ones too.
 *
 * @param bring loads one of them, see `bringUp`
 * @throws SluiceError `not_found` when the source has no such model; `unavailable` with the reasons when versions
 * failed and none is ready
 */
export async function loadModel(
  model: string,
  options: Pick<LoadModelsOptions, "registry" | "source">,
  bring: (found: DiscoveredPackage) => Promise<LoadOutcome>,
): Promise<void> {
  const { registry, source } = options;
  const packages = (await source.list()).filter((found) => found.model === model);
  if (packages.length === 0) {
    throw new SluiceError("not_found", `There is no model "${model}" to load.`, {
      details: [{ field: "model", problem: `is not in ${source.description}` }],
    });
  }
  for (const found of packages) await bring(found);
  const versions = registry.list().filter((status) => status.model === model);
  if (versions.some(({ state }) => state === "ready")) return;
  const reasons = versions.map(({ version, reason }) => `${version}: ${reason ?? "not loaded"}`);
  throw new SluiceError("unavailable", `No version of ${model} can serve. ${reasons.join("; ")}`);
}
