import type { FastifyInstance } from "fastify";
import type { ProcessGroup } from "./cluster/member.ts";
import { mergeMetrics } from "./cluster/merge-metrics.ts";
import { createSharedRateCounter } from "./cluster/shared-rate-counter.ts";
import { isKeyRequired } from "./config/assert-servable.ts";
import type { Config } from "./config/schema.ts";
import { SluiceError } from "./core/errors.ts";
import type { InferencePipeline } from "./core/inference/run-inference.ts";
import type { Logger } from "./core/ports/logger.ts";
import type { RateCounter } from "./core/ports/rate-counter.ts";
import type { HttpObserver } from "./gateway/answer.ts";
import { createHttpServer } from "./gateway/http-server.ts";
import { createAuthenticator } from "./gateway/middleware/authenticate.ts";
import { createRateLimiter } from "./gateway/middleware/rate-limit.ts";
import { drainHttpServer } from "./gateway/shutdown.ts";
import { createMemoryRateCounter } from "./stores/rate-counters/memory.ts";
import { createAccessLog } from "./telemetry/access-log.ts";
import { watchEventLoopLag } from "./telemetry/event-loop-lag.ts";
import type { Metrics } from "./telemetry/metrics.ts";
import { SLUICE_VERSION } from "./version.ts";

/** The part of the composition root that opens the port. It is loaded, and prepared, while models load. */

/** What the gateway stands between. */
export interface GatewaySurroundings {
  readonly inference: { readonly pipeline: InferencePipeline; readonly metrics: Metrics };
  readonly logger: Logger;
  /** The processes that serve together; undefined when it is one. */
  readonly group: ProcessGroup | undefined;
}

/** A gateway that can answer at once when it listens. */
export interface Gateway {
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /** Opens the port. @returns its address, e.g. `http://127.0.0.1:8000` */
  listen(): Promise<string>;
  /** Stops accepting and answers everything accepted. Resolves with the connections that were cut. */
  drain(): Promise<number>;
}

/** Builds all routes; the port is still closed. */
export async function prepareGateway(
  config: Config,
  surroundings: GatewaySurroundings,
): Promise<Gateway> {
  const counter = createRateCounter(config, surroundings);
  const lag = watchEventLoopLag();
  let draining = false;
  const isDraining = () => draining;
  const app = await composeGateway(config, { ...surroundings, counter, lag, isDraining });
  await app.ready();
  const window = `${config.rateLimit.requests} requests per ${config.rateLimit.windowMs / 1000} s`;
  const limit = config.rateLimit.requests === 0 ? "off" : `${window}, ${counter.description}`;
  return {
    listen: () => app.listen({ host: config.server.host, port: config.server.port }),
    drivers: [{ port: "rate limit", driver: limit }],
    drain: async () => {
      draining = true;
      const cut = await drainHttpServer(app.server, config.shutdown);
      await app.close();
      await counter.close();
      lag.stop();
      return cut;
    },
  };
}

interface GatewayParts extends GatewaySurroundings {
  readonly counter: RateCounter;
  readonly lag: { readonly lagMs: number };
  readonly isDraining: () => boolean;
}

function composeGateway(
  config: Config,
  { inference, logger, counter, lag, isDraining, group }: GatewayParts,
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

function createRateCounter(
  { rateLimit }: Config,
  { inference, group }: GatewaySurroundings,
): RateCounter {
  const nowMs = () => inference.pipeline.clock.nowMs();
  const own = createMemoryRateCounter({ maxKeys: rateLimit.store.maxKeys, nowMs });
  return group === undefined ? own : createSharedRateCounter({ own, exchange: group.rates, nowMs });
}
