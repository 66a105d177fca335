import { countCores } from "../backends/onnx/placement/count-cores.ts";
import { createThreadSupply } from "../backends/onnx/workers/thread-supply.ts";
import type { ProcessGroup } from "../cluster/member.ts";
import { asksEngines } from "../config/for-role.ts";
import type { Config } from "../config/schema.ts";
import { SluiceError, toSluiceError } from "../core/errors.ts";
import { Coalescer } from "../core/inference/coalesce.ts";
import { OnlineActivity } from "../core/inference/online-activity.ts";
import { ResultCache } from "../core/inference/result-cache.ts";
import type { InferencePipeline, RowOutcome } from "../core/inference/run-inference.ts";
import { loadModels, unloadModels } from "../core/models/load-models.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import { createModelControl } from "../core/models/model-control.ts";
import type { ModelChange } from "../core/models/registry.ts";
import { ModelRegistry } from "../core/models/registry.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { FaultExchange } from "../core/ports/fault-exchange.ts";
import type { Logger } from "../core/ports/logger.ts";
import { ReleaseTraffic } from "../core/releases/release-traffic.ts";
import { createLogger } from "../telemetry/logging.ts";
import { Metrics } from "../telemetry/metrics.ts";
import { createSystemClock } from "../telemetry/system-clock.ts";
import type { EvidencePart } from "./evidence.ts";
import { createCacheStore } from "./fast-stores.ts";
import { createFaultsPart } from "./faults.ts";
import { assertGraphsFit, createGraphs } from "./graphs.ts";
import { createLocalWatch, createRoomCheck } from "./local-models.ts";
import { createModelSources } from "./model-sources.ts";
import { createModelRuntime } from "./models.ts";
import type { ReleasesPart } from "./releases.ts";
import { createRemotePart } from "./remote-part.ts";

/** Models and everything between a request and its answer, without any socket. */
export interface Inference {
  readonly pipeline: InferencePipeline;
  readonly metrics: Metrics;
  readonly control: ModelControl;
  /** Which driver fills which port, for the start screen. */
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /** Answers what was accepted, then frees models and stores. */
  close(): Promise<void>;
}

/** A server that listens. */
export interface RunningServer {
  readonly inference: Inference;
  /** e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** The second HTTP port, at which clients of TensorFlow Serving look; undefined when it is closed. */
  readonly secondUrl: string | undefined;
  /** `host:port` of gRPC; undefined when it is closed. */
  readonly grpcAddress: string | undefined;
  /** Stops accepting, answers everything accepted, frees everything. Resolves with the connections that were cut. */
  drain(): Promise<number>;
}

/** Inference whose models have yet to be loaded. */
export interface UnloadedInference extends Inference {
  /**
   * Loads the models. Until it settles there are none, or not all of them.
   *
   * @throws SluiceError `unavailable` when the model source cannot be read, or a package is bad and
   * `models.failOnInvalid` is set
   */
  load(): Promise<void>;
  /** From now on, packages that come and go are followed. */
  watch(): void;
  /** Settles when this thread has time for other things while models load. */
  readonly handedOver: Promise<void>;
}

/** Connects models to the stores that the configuration chooses, and loads them: see `UnloadedInference.load`. */
export async function composeInference(config: Config): Promise<Inference> {
  const clock = createSystemClock();
  const inference = await createInference(config, { clock, logger: createProcessLogger(config) });
  await inference.load();
  return inference;
}

interface InferenceSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Hears of models that come and go. */
  readonly modelChanged?: (change: ModelChange) => void;
}

async function createInference(
  config: Config,
  { clock, logger, modelChanged = () => {} }: InferenceSurroundings,
): Promise<UnloadedInference> {
  const wake = async (model: string) => {
    await control.load(model).catch((thrown: unknown) => {
      const { message } = toSluiceError(thrown);
      logger.warn("A model could not be loaded when it was asked for.", { model, reason: message });
    });
  };
  const registry = new ModelRegistry({
    load: wake,
    changed: modelChanged,
    pinned: config.models.defaultVersions,
    byLanguage: config.models.routeByLanguage,
  });
  const metrics = new Metrics({
    versions: () =>
      registry.list().map(({ model, version, state, serving, tensors }) => ({
        model,
        version,
        isReady: state === "ready",
        queuedItems: serving?.batcher.queuedItems ?? tensors?.queue.queuedItems ?? 0,
      })),
  });
  const handedOver = Promise.withResolvers<void>();
  const cacheStore = await createCacheStore(config, { clock, logger });
  const { joined: source, members } = await createModelSources(config, logger);
  const cache = new ResultCache(cacheStore, config.cache.ttlSeconds * 1000, metrics);
  const coalescer = new Coalescer<RowOutcome>(clock);
  const { loadOnDemand } = config.models;
  const loading = {
    ...{ source, registry, clock, limits: config.batching, observer: metrics },
    assertRoom: createRoomCheck(config),
    isOnDemand: (model: string) => loadOnDemand.includes(model),
  };
  const graphs = createGraphs(config);
  const remote = createRemotePart(config, { clock, metrics, logger });
  const control = createModelControl({
    ...loading,
    runtime: remote.extend(createModelRuntime(config)),
  });
  const releases = new ReleaseTraffic();
  const watch = createLocalWatch(config, { ...loading, members, control, releases, logger });
  return {
    pipeline: {
      clock,
      registry,
      graphs,
      cache,
      coalescer,
      limits: config.limits,
      releases,
      activity: new OnlineActivity(),
    },
    metrics,
    drivers: [
      ...(asksEngines(config) ? [] : [{ port: "models", driver: source.description }]),
      ...remote.drivers,
      { port: "cache", driver: `${cacheStore.description}, kept ${config.cache.ttlSeconds} s` },
    ],
    handedOver: handedOver.promise,
    control,
    watch: watch.start,
    load: async () => {
      const threads = createThreadSupply();
      const startThread = () => threads.take();
      const runtime = createModelRuntime(config, { startThread, handedOver: handedOver.resolve });
      try {
        await loadModels({ ...loading, runtime });
      } finally {
        threads.close();
        handedOver.resolve();
      }
      await remote.load(control);
      // A version that is to be released holds until its release has it answer.
      registry.startIsOver(config.models.newVersions === "switch" ? "switch" : "hold");
      assertModelsAcceptable(registry, config);
      assertGraphsFit(graphs, registry.list(), config, logger);
    },
    close: async () => {
      source.close?.();
      await watch.stop();
      await remote.stop();
      await unloadModels(registry);
      await cacheStore.close();
    },
  };
}

/** How many processes are to serve together. */
export function countProcesses({ server }: Config): number {
  return server.processes === 0 ? countCores() : server.processes;
}

/** The log as configured; `auto` means short lines for a person at a terminal and JSON for everything else. */
export function createProcessLogger({ logging }: Config): Logger {
  const { level, format } = logging;
  const isTerminal = process.stderr.isTTY === true;
  const pretty = format === "pretty" || (format === "auto" && isTerminal);
  return createLogger({ level, format: pretty ? "pretty" : "json" });
}

/** Loads the models, opens the port and serves until `drain`. */
export async function startServer(
  config: Config,
  logger: Logger,
  group?: ProcessGroup,
): Promise<RunningServer> {
  const clock = createSystemClock();
  const stores = await createStoredParts(config, { clock, logger });
  let releases: ReleasesPart | undefined;
  const modelChanged = (change: ModelChange) => {
    stores.events.modelChanged(change);
    releases?.modelChanged(change);
  };
  const inference = await createInference(config, { clock, logger, modelChanged });
  const jobs = stores.createJobs(inference.pipeline);
  const choices = stores.createChoices(inference.pipeline);
  const evidence = stores.createEvidence(inference);
  releases = stores.createReleases(inference.pipeline, evidence);
  const collections = stores.createCollections(inference.pipeline);
  const faults = stores.createFaults(inference.metrics, group?.faults);
  // Large models load on threads of their own, and meanwhile the gateway on this one.
  const loading = inference.load();
  const [gateway] = await Promise.all([
    inference.handedOver
      .then(() => import("./gateway.ts"))
      .then(({ prepareGateway }) =>
        prepareGateway(config, {
          inference,
          logger,
          group,
          jobs: jobs?.options,
          releases: releases?.options,
          faults: faults?.options,
          feedback: evidence?.options,
          choices: choices?.service,
          collections: collections?.service,
          logPrediction: stores.events.logPrediction,
        }),
      ),
    loading,
  ]);
  const stop = async () => {
    const cut = await gateway.drain();
    faults?.stop();
    await Promise.all([jobs?.stop(), releases?.stop(), choices?.stop(), collections?.stop()]);
    await evidence?.stop();
    await inference.close();
    await stores.close();
    return cut;
  };
  const open = async () => {
    await choices?.start();
    await releases?.start();
    const ports = await gateway.listen();
    await jobs?.start();
    inference.watch();
    return ports;
  };
  const ports = await open().catch(async (error: unknown) => {
    // What is open already would keep the process alive.
    await stop();
    throw error;
  });
  const drivers = [
    ...inference.drivers,
    ...gateway.drivers,
    ...(jobs?.drivers ?? []),
    ...(releases?.drivers ?? []),
    ...(collections?.drivers ?? []),
    ...stores.events.drivers,
  ];
  return { inference: { ...inference, drivers }, ...ports, drain: stop };
}

/** What lasts longer than a request: the records, and who is told of them and works on them. */
async function createStoredParts(
  config: Config,
  surroundings: { readonly clock: Clock; readonly logger: Logger },
) {
  const [
    recordsPart,
    eventsPart,
    { createJobsPart },
    { createChoicesPart },
    { createEvidencePart },
    { createReleasesPart },
    collectionsPart,
  ] = await Promise.all([
    import("./records-part.ts"),
    import("./events.ts"),
    import("./jobs.ts"),
    import("./choices.ts"),
    import("./evidence.ts"),
    import("./releases.ts"),
    import("./collections.ts"),
  ]);
  const records = recordsPart.createRecordsPart(config, surroundings);
  const events = eventsPart.createEventsPart(config, { ...surroundings, records });
  const { logger } = surroundings;
  return {
    events,
    createJobs: (pipeline: InferencePipeline) =>
      createJobsPart(config, { pipeline, records, events, logger }),
    createChoices: (pipeline: InferencePipeline) =>
      createChoicesPart(config, { pipeline, records, logger }),
    createEvidence: ({ pipeline, metrics }: Pick<Inference, "pipeline" | "metrics">) =>
      createEvidencePart(config, { pipeline, records, logger, metrics }),
    createReleases: (pipeline: InferencePipeline, evidence: EvidencePart | undefined) =>
      createReleasesPart(config, { pipeline, records, events, evidence, logger }),
    createCollections: (pipeline: InferencePipeline) =>
      collectionsPart.createCollectionsPart(config, pipeline),
    createFaults: (metrics: Metrics, exchange: FaultExchange | undefined) =>
      createFaultsPart(config, { ...surroundings, events, metrics, exchange }),
    close: async () => {
      await events.stop();
      await records.close();
    },
  };
}

function assertModelsAcceptable(registry: ModelRegistry, { models }: Config): void {
  const failed = registry.list().find((status) => status.state === "failed");
  if (!models.failOnInvalid || failed === undefined) return;
  const message = `${failed.model} ${failed.version} cannot be served: ${failed.reason}`;
  throw new SluiceError("unavailable", message);
}
