import type { ProcessGroup } from "../cluster/member.ts";
import { mergeMetrics } from "../cluster/merge-metrics.ts";
import { isKeyRequired } from "../config/assert-servable.ts";
import type { Config } from "../config/schema.ts";
import type { CollectionService } from "../core/collections/collection-service.ts";
import { SluiceError } from "../core/errors.ts";
import type { PredictionLog } from "../core/events/prediction-log.ts";
import type { InferencePipeline } from "../core/inference/run-inference.ts";
import type { ChoiceService } from "../core/models/choice-service.ts";
import type { ModelControl } from "../core/models/model-control.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { RateCounter } from "../core/ports/rate-counter.ts";
import type { HttpObserver } from "../gateway/answer.ts";
import type {
  FaultOptions,
  FeedbackOptions,
  GatewayOptions,
  JobOptions,
  ReleaseOptions,
} from "../gateway/gateway-options.ts";
import { GrpcPort } from "../gateway/grpc-port.ts";
import { createHttpServer } from "../gateway/http-server.ts";
import { createAuthenticator } from "../gateway/middleware/authenticate.ts";
import { createRateLimiter } from "../gateway/middleware/rate-limit.ts";
import { createSecondPort, listenOn } from "../gateway/second-port.ts";
import { drainHttpServer } from "../gateway/shutdown.ts";
import { createAccessLog } from "../telemetry/access-log.ts";
import { watchEventLoopLag } from "../telemetry/event-loop-lag.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { SLUICE_VERSION } from "../version.ts";
import { createRateCounter } from "./fast-stores.ts";

/** The part of the composition root that opens the port. It is loaded, and prepared, while models load. */

/** What the gateway stands between. */
export interface GatewaySurroundings {
  readonly inference: {
    readonly pipeline: InferencePipeline;
    readonly metrics: Metrics;
    readonly control: ModelControl;
  };
  readonly logger: Logger;
  /** Undefined where this process takes no jobs. */
  readonly jobs: JobOptions | undefined;
  /** Undefined where this process divides no traffic. */
  readonly releases: ReleaseOptions | undefined;
  /** Undefined where the configuration allows no faults. */
  readonly faults: FaultOptions | undefined;
  /** Undefined where others decide which version answers. */
  readonly choices: ChoiceService | undefined;
  /** Undefined where nobody asks this process directly. */
  readonly feedback: FeedbackOptions | undefined;
  /** Undefined where this process keeps no vectors. */
  readonly collections: CollectionService | undefined;
  readonly logPrediction: PredictionLog | undefined;
  /** The processes that serve together; undefined when it is one. */
  readonly group: ProcessGroup | undefined;
}

/** A gateway that can answer at once when it listens. */
export interface Gateway {
  readonly drivers: readonly { readonly port: string; readonly driver: string }[];
  /**
   * Opens the ports, that of HTTP first.
   *
   * @throws the system's error when one is taken that must be opened
   */
  listen(): Promise<OpenPorts>;
  /** Stops accepting and answers everything accepted. Resolves with the connections that were cut. */
  drain(): Promise<number>;
}

/** Where a gateway listens. */
export interface OpenPorts {
  /** e.g. `http://127.0.0.1:8000`. */
  readonly url: string;
  /** The second HTTP port; undefined when it is closed. */
  readonly secondUrl: string | undefined;
  /** `host:port` of gRPC; undefined when it is closed. */
  readonly grpcAddress: string | undefined;
}

/** Builds all routes; the port is still closed. */
export async function prepareGateway(
  config: Config,
  surroundings: GatewaySurroundings,
): Promise<Gateway> {
  const { inference, logger, group: processes } = surroundings;
  const { clock } = inference.pipeline;
  const counter = await createRateCounter(config, { clock, logger, group: processes });
  const lag = watchEventLoopLag();
  let draining = false;
  const isDraining = () => draining;
  const options = toGatewayOptions(config, { ...surroundings, counter, lag, isDraining });
  const app = await createHttpServer(options);
  await app.ready();
  const second = createSecondPort(app, config.server);
  const grpc = new GrpcPort({
    loadServer: async () => {
      const { createRpcServer } = await import("./grpc.ts");
      return createRpcServer(options, surroundings.inference.metrics);
    },
    maxConnections: config.server.maxConnections,
    logger: surroundings.logger,
  });
  const { host, port } = config.server;
  return {
    listen: async () => {
      const url = await app.listen({ host, port });
      const secondPort = await openPort("tensorflowServing", config, surroundings.logger, () =>
        listenOn(second, host, config.tensorflowServing.port),
      );
      const grpcPort = await openPort("grpc", config, surroundings.logger, () =>
        grpc.listen(host, config.grpc.port),
      );
      const named = host.includes(":") ? `[${host}]` : host;
      return {
        url,
        secondUrl: secondPort === undefined ? undefined : `http://${named}:${secondPort}`,
        grpcAddress: grpcPort === undefined ? undefined : `${named}:${grpcPort}`,
      };
    },
    drivers: [{ port: "rate limit", driver: describeLimit(config, counter) }],
    drain: async () => {
      draining = true;
      const [cut, alsoCut] = await Promise.all([
        drainHttpServer(app.server, config.shutdown),
        second.listening ? drainHttpServer(second, config.shutdown) : 0,
        grpc.drain(config.shutdown.drainDelayMs + config.shutdown.graceMs),
      ]);
      await app.close();
      await counter.close();
      lag.stop();
      return cut + alsoCut;
    },
  };
}

function describeLimit({ rateLimit }: Config, counter: RateCounter): string {
  const { requests, windowMs } = rateLimit;
  if (requests === 0) return "off";
  return `${requests} requests per ${windowMs / 1000} s, ${counter.description}`;
}

/**
 * Opens a port beside the main one.
 *
 * @returns undefined when it is to stay closed, or may stay closed and is taken
 */
async function openPort(
  section: "grpc" | "tensorflowServing",
  config: Config,
  logger: Logger,
  open: () => Promise<number>,
): Promise<number | undefined> {
  const { listen, port } = config[section];
  if (listen === "off") return undefined;
  try {
    return await open();
  } catch (cause) {
    const fix = `set ${section}.port to another, or ${section}.listen to off`;
    if (listen === "on") {
      throw new SluiceError("unavailable", `Port ${port} cannot be opened; ${fix}.`, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    logger.warn(`Port ${port} stays closed, because it is taken; ${fix}.`, { reason });
    return undefined;
  }
}

interface GatewayParts extends GatewaySurroundings {
  readonly counter: RateCounter;
  readonly lag: { readonly lagMs: number };
  readonly isDraining: () => boolean;
}

function toGatewayOptions(
  config: Config,
  {
    inference,
    logger,
    counter,
    lag,
    isDraining,
    group,
    jobs,
    releases,
    faults,
    feedback,
    choices,
    collections,
    logPrediction,
  }: GatewayParts,
): GatewayOptions {
  const { pipeline, metrics, control } = inference;
  const { requests, windowMs } = config.rateLimit;
  return {
    version: SLUICE_VERSION,
    server: config.server,
    limits: config.limits,
    batching: config.batching,
    protocols: config,
    defaultModel: config.models.defaultModel,
    pipeline,
    choices,
    modelOperators: config.models.operators,
    takesCallers: config.role !== "worker",
    believesGateways: config.role === "engine",
    control: config.models.control === "explicit" ? control : undefined,
    jobs,
    releases,
    faults,
    feedback,
    collections: collections && {
      service: collections,
      defaultCollection: config.vectors.defaultCollection,
    },
    logPrediction:
      logPrediction &&
      ((data) => {
        if (!logPrediction(data)) metrics.predictionEventDropped();
      }),
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
  };
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
