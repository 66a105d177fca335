import { createHash } from "node:crypto";
import { createOpenInferenceBackend } from "../backends/open-inference/create-open-inference-backend.ts";
import type { EngineDirectory } from "../backends/open-inference/engine-directory.ts";
import { createEngineDirectory } from "../backends/open-inference/engine-directory.ts";
import type { RemoteModelOptions } from "../backends/remote/model-channel.ts";
import type { RemotePoolObserver } from "../backends/remote/remote-pool-observer.ts";
import type { RemoteBackendOptions } from "../backends/remote/remote-tensor-backend.ts";
import { createCarrierTokenizer } from "../backends/remote/text/carrier-tokenizer.ts";
import { createRemoteTextBackend } from "../backends/remote/text/remote-text-backend.ts";
import type { TextOutput } from "../backends/remote/text/text-output.ts";
import { createTensorFlowServingBackend } from "../backends/tensorflow-serving/create-tensorflow-serving-backend.ts";
import { asksEngines, listEngineUrls } from "../config/for-role.ts";
import type { Config } from "../config/schema.ts";
import { SluiceError } from "../core/errors.ts";
import type { ModelManifest, TextManifest } from "../core/models/manifest.ts";
import { parseRemoteManifest } from "../core/models/remote-manifest.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { ModelRuntime, StartedModel } from "../core/ports/model-runtime.ts";
import type { DiscoveredPackage, ModelPackage, ModelSource } from "../core/ports/model-source.ts";
import type { TensorBackend } from "../core/ports/tensor-backend.ts";

/** The part of the composition root that serves models which run elsewhere. */

/** Models on other servers: those that are configured, and in role `gateway` all that the engines have. */
export interface RemoteModels extends ModelRuntime {
  readonly source: ModelSource;
  /** Whether `start` is for this package. */
  owns(modelPackage: ModelPackage): boolean;
  /** Closes the connections by which engines are asked what they have. */
  close(): void;
}

/** What is known of one of them before it is started. */
interface RemoteModel {
  readonly manifest: ModelManifest;
  readonly digest: string;
  readonly readsPairs: boolean;
  /** Whether another Sluice serves it. */
  readonly isSluice: boolean;
  readonly input: string | undefined;
  readonly output: TextOutput | undefined;
  open(): Promise<TensorBackend>;
}

export interface RemoteSurroundings {
  readonly clock: Clock;
  readonly observer: RemotePoolObserver;
}

/** What tells these packages from folders. */
const LOCATION = "remote:";

export function createRemoteModels(config: Config, surroundings: RemoteSurroundings): RemoteModels {
  const known = new Map<string, RemoteModel>();
  const engines = asksEngines(config) ? openEngines(config, surroundings) : undefined;
  const toPackage = (model: RemoteModel): ModelPackage => {
    const { manifest, digest } = model;
    const location = `${LOCATION}${manifest.name}:${manifest.version}`;
    known.set(location, model);
    return { manifest, digest, location, modelPath: "", modelBytes: 0, tokenizerPath: undefined };
  };
  const configured = config.models.remote.map(
    (entry): DiscoveredPackage => ({
      model: entry.name,
      version: entry.version ?? FIRST_VERSION,
      verify: async () => toPackage(toConfiguredModel(entry, config, surroundings)),
    }),
  );
  return {
    source: {
      description: describe(config),
      list: async () => [...configured, ...(await listOnEngines(engines, toPackage))],
    },
    owns: ({ location }) => location.startsWith(LOCATION),
    start: async ({ location }) => {
      const model = known.get(location);
      if (model === undefined) throw new SluiceError("internal", "A remote model got lost.");
      return await start(model, surroundings.clock);
    },
    close: () => engines?.directory.close(),
  };
}

const FIRST_VERSION = "1.0.0";

function describe(config: Config): string {
  const { remote } = config.models;
  const engines = `engines at ${listEngineUrls(config).join(", ")}`;
  const others = `${remote.length} on other servers`;
  if (!asksEngines(config)) return others;
  return remote.length === 0 ? engines : `${engines}; ${others}`;
}

/** Engines, and how a model of theirs is opened. */
interface Engines {
  readonly directory: EngineDirectory;
  readonly open: (model: string, version: string) => Promise<TensorBackend>;
}

function openEngines(config: Config, surroundings: RemoteSurroundings): Engines {
  const servers = listEngineUrls(config);
  const headers = toHeaders(config.engine.key);
  const { timeoutMs, connectTimeoutMs } = config.remote;
  const { clock } = surroundings;
  return {
    directory: createEngineDirectory({
      urls: servers,
      headers,
      connectTimeoutMs,
      timeoutMs,
      clock,
    }),
    open: (model, version) => {
      const target = { servers, model, version, headers, connectTimeoutMs, areEngines: true };
      return createOpenInferenceBackend({ ...target, ...toBackendOptions(config, surroundings) });
    },
  };
}

async function listOnEngines(
  engines: Engines | undefined,
  toPackage: (model: RemoteModel) => ModelPackage,
): Promise<readonly DiscoveredPackage[]> {
  if (engines === undefined) return [];
  const { directory, open } = engines;
  const found = await directory.list();
  return found.map(({ model, version }) => ({
    model,
    version,
    verify: async () => {
      const { manifest, digest, readsPairs } = await directory.describe(model, version);
      const isVector = manifest.task === "embedding";
      return toPackage({
        manifest,
        digest,
        readsPairs,
        isSluice: true,
        input: undefined,
        output: isVector
          ? { name: "vector", holds: "vector" }
          : { name: "logits", holds: "logits" },
        open: () => open(model, version),
      });
    },
  }));
}

type ConfiguredModel = Config["models"]["remote"][number];

function toConfiguredModel(
  entry: ConfiguredModel,
  config: Config,
  surroundings: RemoteSurroundings,
): RemoteModel {
  const { name, version = FIRST_VERSION, protocol, servers, task = "tensor", output } = entry;
  const manifest = parseRemoteManifest({ ...entry, name, version, task });
  const holds = entry.outputHolds ?? DEFAULT_MEANING[task];
  const target: RemoteModelOptions = {
    servers,
    model: entry.remoteName ?? name,
    ...(entry.remoteVersion === undefined ? {} : { version: entry.remoteVersion }),
    headers: toHeaders(entry.key),
    connectTimeoutMs: config.remote.connectTimeoutMs,
  };
  const options = { ...target, ...toBackendOptions(config, surroundings) };
  return {
    manifest,
    // What the model answers is not known here; another entry is another model.
    digest: createHash("sha256")
      .update(JSON.stringify({ ...entry, key: "" }))
      .digest("hex"),
    readsPairs: task === "scoring",
    isSluice: false,
    input: entry.input,
    output: output === undefined ? undefined : { name: output, holds },
    open: () =>
      protocol === "open-inference"
        ? createOpenInferenceBackend(options)
        : createTensorFlowServingBackend(options),
  };
}

/** What an output holds whose name alone is configured. */
const DEFAULT_MEANING = {
  classification: "probabilities",
  embedding: "vector",
  scoring: "score",
  tensor: "logits",
} as const;

async function start(model: RemoteModel, clock: Clock): Promise<StartedModel> {
  const tensors = await model.open();
  const { manifest } = model;
  if (manifest.task === "tensor") return { kind: "tensor", backend: tensors };
  try {
    return await startTexts(model, manifest, tensors, clock);
  } catch (error) {
    await tensors.close();
    throw error;
  }
}

async function startTexts(
  { readsPairs, input, output, isSluice }: RemoteModel,
  { labels, defaultFunction, task }: TextManifest,
  tensors: TensorBackend,
  clock: Clock,
): Promise<StartedModel> {
  const backend = await createRemoteTextBackend({
    tensors,
    clock,
    labels,
    appliedFunction: defaultFunction,
    needsPairs: task === "scoring",
    tellsReadings: isSluice,
    ...(input === undefined ? {} : { inputs: { text: input } }),
    ...(output === undefined ? {} : { output }),
  });
  const tokenizer = createCarrierTokenizer();
  return { kind: "text", readsPairs, isRemote: true, tokenizer, backend };
}

function toHeaders(key: string | undefined): Readonly<Record<string, string>> {
  return key === undefined || key === "" ? {} : { authorization: `Bearer ${key}` };
}

/** A server that fails its trials is left alone for at most this many times the first cool-down. */
const MAX_COOL_DOWNS = 20;

function toBackendOptions(
  { remote }: Config,
  { clock, observer }: RemoteSurroundings,
): RemoteBackendOptions {
  const { timeoutMs, maxInFlight, retryShare, ejectAfterFailures, coolDownMs } = remote;
  return {
    clock,
    observer,
    maxInFlight,
    pool: {
      attemptTimeoutMs: timeoutMs,
      retryShare,
      ejectAfterFailures,
      coolDownMs,
      maxCoolDownMs: coolDownMs * MAX_COOL_DOWNS,
    },
  };
}
