import { availableParallelism } from "node:os";
import type { FastifyInstance } from "fastify";
import packageJson from "../package.json" with { type: "json" };
import { createOnnxBackend } from "./backends/onnx/create-onnx-backend.ts";
import { isKeyRequired } from "./config/assert-servable.ts";
import type { Config } from "./config/schema.ts";
import { SluiceError } from "./core/errors.ts";
import type { BatchOutcome } from "./core/inference/batcher.ts";
import type { ClassifyPipeline } from "./core/inference/classify.ts";
import { Coalescer } from "./core/inference/coalesce.ts";
import { ResultCache } from "./core/inference/result-cache.ts";
import { loadModels, unloadModels } from "./core/models/load-models.ts";
import { ModelRegistry } from "./core/models/registry.ts";
import type { CacheStore } from "./core/ports/cache-store.ts";
import type { Logger } from "./core/ports/logger.ts";
import type { ModelRuntime } from "./core/ports/model-runtime.ts";
import type { RateCounter } from "./core/ports/rate-counter.ts";
import type { Tokenizer } from "./core/ports/tokenizer.ts";
import { applyActivation, defaultActivation } from "./core/text/labels.ts";
import { normalizeText } from "./core/text/normalize.ts";
import type { HttpObserver } from "./gateway/answer.ts";
import { createHttpServer } from "./gateway/http-server.ts";
import { createAuthenticator } from "./gateway/middleware/authenticate.ts";
import { createRateLimiter } from "./gateway/middleware/rate-limit.ts";
import { drainHttpServer } from "./gateway/shutdown.ts";
import { createMemoryCacheStore } from "./stores/cache/memory.ts";
import { createNoCacheStore } from "./stores/cache/none.ts";
import { createDirectoryModelSource, readPackage } from "./stores/model-packages/directory.ts";
import { createMemoryRateCounter } from "./stores/rate-counters/memory.ts";
import { createAccessLog } from "./telemetry/access-log.ts";
import { watchEventLoopLag } from "./telemetry/event-loop-lag.ts";
import { createLogger } from "./telemetry/logging.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { createSystemClock } from "./telemetry/system-clock.ts";
import { createHashedNgramsTokenizer } from "./tokenizers/hashed-ngrams/hashed-ngrams.ts";

export const SLUICE_VERSION: string = packageJson.version;

/** Models and everything between a request and its answer, without any socket. */
export interface Inference {
  readonly pipeline: ClassifyPipeline;
  readonly metrics: Metrics;
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
  /** Stops accepting, answers everything accepted, frees everything. Resolves with the connections that were cut. */
  drain(): Promise<number>;
}

/**
 * Loads the models and connects them to the stores that the configuration chooses.
 *
 * @throws SluiceError `unavailable` when the model source cannot be read, or a package is bad and `models.failOnInvalid` is set
 */
export async function composeInference(config: Config): Promise<Inference> {
  const clock = createSystemClock();
  const registry = new ModelRegistry(config.models.defaultVersions);
  const metrics = new Metrics({
    versions: () =>
      registry.list().map(({ model, version, state, serving }) => ({
        model,
        version,
        isReady: state === "ready",
        queuedItems: serving?.batcher.queuedItems ?? 0,
      })),
  });
  const cacheStore = createCacheStore(config);
  const source = createDirectoryModelSource(config.models.directory);
  await loadModels({
    source,
    runtime: createModelRuntime(config),
    registry,
    clock,
    limits: config.batching,
    observer: metrics,
  });
  assertModelsAcceptable(registry, config);
  const cache = new ResultCache(cacheStore, config.cache.ttlSeconds * 1000, metrics);
  const coalescer = new Coalescer<BatchOutcome>(clock);
  return {
    pipeline: { clock, registry, cache, coalescer },
    metrics,
    drivers: [
      { port: "models", driver: source.description },
      { port: "cache", driver: `${cacheStore.description}, kept ${config.cache.ttlSeconds} s` },
    ],
    close: async () => {
      await unloadModels(registry);
      await cacheStore.close();
    },
  };
}

/** The log as configured; `auto` means short lines for a person at a terminal and JSON for everything else. */
export function createProcessLogger({ logging }: Config): Logger {
  const { level, format } = logging;
  const isTerminal = process.stderr.isTTY === true;
  const pretty = format === "pretty" || (format === "auto" && isTerminal);
  return createLogger({ level, format: pretty ? "pretty" : "json" });
}

/** Loads the models, opens the port and serves until `drain`. */
export async function startServer(config: Config, logger: Logger): Promise<RunningServer> {
  const inference = await composeInference(config);
  const counter = createRateCounter(config, inference);
  const lag = watchEventLoopLag();
  let draining = false;
  const app = await composeGateway(config, logger, {
    inference,
    counter,
    lag,
    isDraining: () => draining,
  });
  const url = await app.listen({ host: config.server.host, port: config.server.port });
  const window = `${config.rateLimit.requests} requests per ${config.rateLimit.windowMs / 1000} s`;
  const limit = config.rateLimit.requests === 0 ? "off" : `${window}, ${counter.description}`;
  const drivers = [...inference.drivers, { port: "rate limit", driver: limit }];
  return {
    inference: { ...inference, drivers },
    url,
    drain: async () => {
      draining = true;
      const cut = await drainHttpServer(app.server, config.shutdown);
      await app.close();
      await inference.close();
      await counter.close();
      lag.stop();
      return cut;
    },
  };
}

interface GatewayParts {
  readonly inference: Inference;
  readonly counter: RateCounter;
  readonly lag: { readonly lagMs: number };
  readonly isDraining: () => boolean;
}

function composeGateway(
  config: Config,
  logger: Logger,
  { inference, counter, lag, isDraining }: GatewayParts,
): Promise<FastifyInstance> {
  const { pipeline, metrics } = inference;
  const { requests, windowMs } = config.rateLimit;
  return createHttpServer({
    version: SLUICE_VERSION,
    server: config.server,
    limits: config.limits,
    defaultModel: config.models.defaultModel,
    pipeline,
    authenticate: createAuthenticator({
      keys: config.auth.keys,
      required: isKeyRequired(config),
      epochMs: () => pipeline.clock.epochMs(),
    }),
    limitRate: createRateLimiter({ counter, requests, windowMs }),
    assertKeepingUp: () => assertKeepingUp(lag.lagMs, config.overload.maxEventLoopLagMs),
    isDraining,
    metrics,
    observer: { answered: composeAnswered(config, metrics, logger) },
    logger,
  });
}

function composeAnswered(
  { logging }: Config,
  metrics: Metrics,
  logger: Logger,
): HttpObserver["answered"] {
  const logAccess = createAccessLog(logging.access, logger);
  return (request, status, durationMs) => {
    metrics.httpAnswered(request.method, request.context.route, status, durationMs);
    logAccess(request, status, durationMs);
  };
}

function assertKeepingUp(lagMs: number, maxLagMs: number): void {
  if (maxLagMs === 0 || lagMs <= maxLagMs) return;
  throw new SluiceError("overloaded", "The server has more requests than it can keep up with.", {
    retryAfterMs: 1000,
  });
}

function createCacheStore({ cache: { store } }: Config): CacheStore {
  return store.driver === "memory" ? createMemoryCacheStore(store) : createNoCacheStore();
}

function createRateCounter({ rateLimit }: Config, { pipeline }: Inference): RateCounter {
  return createMemoryRateCounter({
    maxKeys: rateLimit.store.maxKeys,
    nowMs: () => pipeline.clock.nowMs(),
  });
}

/** Texts of ordinary length, to measure what a run costs before traffic comes. */
const WARM_UP_TEXTS = [
  "The battery lasts all day and the screen is gorgeous.",
  "Slow service, cold food, and they charged us twice. We will not be back.",
  "这家店的服务很好，下次还会再来。",
];

function createModelRuntime({ inference }: Config): ModelRuntime {
  return {
    start: async ({ manifest, location }) => {
      const tokenizer = createTokenizer(manifest.tokenizer);
      const backend = await createOnnxBackend({
        modelPath: `${location}/${manifest.model.path}`,
        inputs: manifest.inputs,
        outputs: manifest.outputs,
        labelCount: manifest.labels.length,
        ...inference,
        workers: inference.workers === 0 ? availableParallelism() : inference.workers,
        warmup: WARM_UP_TEXTS.map((text) => tokenizer.encode(text)),
      });
      return { tokenizer, backend };
    },
  };
}

/** A package on its own, without a registry: what `sluice evaluate` measures. */
export interface OpenClassifier {
  readonly labels: readonly string[];
  /** One row of scores per text, as `/classify` would give them. */
  predict(texts: readonly string[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

/**
 * Loads the package in `folder` as a server would.
 *
 * @throws SluiceError with the reason when it cannot be served
 */
export async function openClassifier(config: Config, folder: string): Promise<OpenClassifier> {
  const modelPackage = await readPackage(folder);
  const { tokenizer, backend } = await createModelRuntime(config).start(modelPackage);
  const { labels, problemType } = modelPackage.manifest;
  return {
    labels,
    predict: async (texts) => {
      const rows = await backend.run(texts.map((text) => tokenizer.encode(normalizeText(text))));
      return rows.map((row) => applyActivation(row, defaultActivation(problemType)));
    },
    close: () => backend.close(),
  };
}

function createTokenizer(settings: { readonly kind: string }): Tokenizer {
  if (settings.kind === "hashed-ngrams") return createHashedNgramsTokenizer(settings);
  const message = `Unknown tokenizer "${settings.kind}"; this version knows hashed-ngrams.`;
  throw new SluiceError("invalid_argument", message);
}

function assertModelsAcceptable(registry: ModelRegistry, { models }: Config): void {
  const failed = registry.list().find((status) => status.state === "failed");
  if (!models.failOnInvalid || failed === undefined) return;
  const message = `${failed.model} ${failed.version} cannot be served: ${failed.reason}`;
  throw new SluiceError("unavailable", message);
}
