import type { FastifyInstance } from "fastify";
import { countCores } from "./backends/onnx/placement/count-cores.ts";
import type { ProcessGroup } from "./cluster/member.ts";
import { mergeMetrics } from "./cluster/merge-metrics.ts";
import { createSharedRateCounter } from "./cluster/shared-rate-counter.ts";
import { createModelRuntime } from "./compose-models.ts";
import { isKeyRequired } from "./config/assert-servable.ts";
import type { Config } from "./config/schema.ts";
import { SluiceError } from "./core/errors.ts";
import { Coalescer } from "./core/inference/coalesce.ts";
import { ResultCache } from "./core/inference/result-cache.ts";
import type { InferencePipeline, RowOutcome } from "./core/inference/run-inference.ts";
import { loadModels, unloadModels } from "./core/models/load-models.ts";
import { ModelRegistry } from "./core/models/registry.ts";
import type { CacheStore } from "./core/ports/cache-store.ts";
import type { Logger } from "./core/ports/logger.ts";
import type { RateCounter } from "./core/ports/rate-counter.ts";
import type { HttpObserver } from "./gateway/answer.ts";
import { createHttpServer } from "./gateway/http-server.ts";
import { createAuthenticator } from "./gateway/middleware/authenticate.ts";
import { createRateLimiter } from "./gateway/middleware/rate-limit.ts";
import { drainHttpServer } from "./gateway/shutdown.ts";
import { createMemoryCacheStore } from "./stores/cache/memory.ts";
import { createNoCacheStore } from "./stores/cache/none.ts";
import { createDirectoryModelSource } from "./stores/model-packages/directory.ts";
import { createMemoryRateCounter } from "./stores/rate-counters/memory.ts";
import { createAccessLog } from "./telemetry/access-log.ts";
import { watchEventLoopLag } from "./telemetry/event-loop-lag.ts";
import { createLogger } from "./telemetry/logging.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { createSystemClock } from "./telemetry/system-clock.ts";
import { SLUICE_VERSION } from "./version.ts";

/** Models and everything between a request and its answer, without any socket. */
export interface Inference {
  readonly pipeline: InferencePipeline;
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
  const registry = new ModelRegistry({
    pinned: config.models.defaultVersions,
    byLanguage: config.models.routeByLanguage,
  });
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
  const coalescer = new Coalescer<RowOutcome>(clock);
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
  const inference = await composeInference(config);
  const counter = createRateCounter(config, inference, group);
  const lag = watchEventLoopLag();
  let draining = false;
  const app = await composeGateway(config, logger, {
    inference,
    counter,
    lag,
    isDraining: () => draining,
    group,
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
  readonly group: ProcessGroup | undefined;
}

function composeGateway(
  config: Config,
  logger: Logger,
  { inference, counter, lag, isDraining, group }: GatewayParts,
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
    metrics: composeMetricsPage(metrics, group),
    observer: { answered: composeAnswered(config, metrics, logger) },
    logger,
  });
}

/** What `GET /metrics` shows: this process, or all that serve together. */
function composeMetricsPage(
  metrics: Metrics,
  group: ProcessGroup | undefined,
): Pick<Metrics, "contentType" | "render"> {
  if (group === undefined) return metrics;
  group.onRender(() => metrics.render());
  return {
    contentType: metrics.contentType,
    render: async () => mergeMetrics(await group.collectMetrics()),
  };
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

function createRateCounter(
  { rateLimit }: Config,
  { pipeline }: Inference,
  group: ProcessGroup | undefined,
): RateCounter {
  const nowMs = () => pipeline.clock.nowMs();
  const own = createMemoryRateCounter({ maxKeys: rateLimit.store.maxKeys, nowMs });
  return group === undefined ? own : createSharedRateCounter({ own, exchange: group.rates, nowMs });
}

function assertModelsAcceptable(registry: ModelRegistry, { models }: Config): void {
  const failed = registry.list().find((status) => status.state === "failed");
  if (!models.failOnInvalid || failed === undefined) return;
  const message = `${failed.model} ${failed.version} cannot be served: ${failed.reason}`;
  throw new SluiceError("unavailable", message);
}
