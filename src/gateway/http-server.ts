import { randomUUID } from "node:crypto";
import fastifySwagger from "@fastify/swagger";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import fastify from "fastify";
import { SluiceError } from "../core/errors.ts";
import type { ClassifyPipeline } from "../core/inference/classify.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ClassifyLimits } from "../protocols/native/decode-classify.ts";
import { answerError, describeHttpFault } from "./error-answer.ts";
import type { Authenticator } from "./middleware/authenticate.ts";
import type { DeadlineLimits } from "./middleware/deadline.ts";
import { parseJsonBody } from "./middleware/json-body.ts";
import type { RateLimiter } from "./middleware/rate-limit.ts";
import { setSecurityHeaders } from "./middleware/security-headers.ts";
import { formatServerTiming } from "./middleware/server-timing.ts";
import { isPublic } from "./request-context.ts";
import { registerClassify } from "./routes/classify.ts";
import { registerDocs } from "./routes/docs.ts";
import { registerHealth } from "./routes/health.ts";
import { registerMetrics } from "./routes/metrics.ts";
import { registerModels } from "./routes/models.ts";

/** Limits of the sockets. Defaults and meanings: `server` in the configuration reference. */
export interface ServerLimits {
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly maxHeaderBytes: number;
  readonly requestTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  /** Addresses or CIDR ranges of proxies whose X-Forwarded-For is believed. */
  readonly trustProxy: readonly string[];
}

/** What the gateway reports about each answer. */
export interface HttpObserver {
  answered(method: string, route: string, status: number, durationMs: number): void;
}

/** Everything the gateway needs; it creates none of it. */
export interface GatewayOptions {
  readonly version: string;
  readonly server: ServerLimits;
  readonly limits: ClassifyLimits & DeadlineLimits;
  readonly defaultModel: string;
  readonly pipeline: ClassifyPipeline;
  readonly authenticate: Authenticator;
  readonly limitRate: RateLimiter;
  /** Throws SluiceError `overloaded` while the process itself cannot keep up. */
  readonly assertKeepingUp: () => void;
  readonly isDraining: () => boolean;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  readonly observer: HttpObserver;
  readonly logger: Logger;
  readonly logAccess: (request: FastifyRequest, reply: FastifyReply, durationMs: number) => void;
}

/** Builds the HTTP server with all routes; it does not listen yet. */
export async function createHttpServer(options: GatewayOptions): Promise<FastifyInstance> {
  const app = createApp(options);
  addLifecycle(app, options);
  addErrorAnswers(app, options);
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Sluice",
        version: options.version,
        description: "AI inference: classification of text over HTTP.",
      },
      components: {
        securitySchemes: { apiKey: { type: "http", scheme: "bearer" } },
      },
    },
  });
  await registerDocs(app);
  registerClassify(app, options);
  registerModels(app, options);
  registerHealth(app, options);
  registerMetrics(app, options);
  return app;
}

function createApp({ server }: GatewayOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: server.maxBodyBytes,
    requestTimeout: server.requestTimeoutMs,
    keepAliveTimeout: server.keepAliveTimeoutMs,
    trustProxy: server.trustProxy.length === 0 ? false : [...server.trustProxy],
    routerOptions: { ignoreTrailingSlash: true },
    genReqId: () => randomUUID(),
    http: { maxHeaderSize: server.maxHeaderBytes, headersTimeout: server.headersTimeoutMs },
    // Draining is ours (see shutdown.ts): what arrives on an open connection is still answered.
    return503OnClosing: false,
    exposeHeadRoutes: true,
    logger: false,
  });
  app.server.maxConnections = server.maxConnections;
  app.decorateRequest("context");
  // Bodies are checked by the protocols' decoders; route schemas are there for the OpenAPI document.
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => JSON.stringify);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/([\w.-]+\+)?json(;|$)/,
    { parseAs: "buffer" },
    async (_request: FastifyRequest, body: Buffer) => parseJsonBody(body, server.maxJsonDepth),
  );
  return app;
}

/** What happens to every request, in order: context, headers, overload, who is it, how often. */
function addLifecycle(app: FastifyInstance, options: GatewayOptions): void {
  const { clock } = options.pipeline;
  app.addHook("onRequest", (request, reply, done) => {
    const startedMs = clock.nowMs();
    request.context = { startedMs, caller: undefined, authMs: 0, stages: undefined };
    setSecurityHeaders(reply);
    reply.header("x-request-id", correlationId(request));
    if (options.isDraining()) reply.header("connection", "close");
    if (isPublic(request)) {
      done();
      return;
    }
    options.assertKeepingUp();
    const caller = options.authenticate(request.headers, request.ip);
    request.context.caller = caller;
    const limited = options.limitRate(caller, reply);
    request.context.authMs = clock.nowMs() - startedMs;
    if (limited === undefined) done();
    else limited.then(() => done(), done);
  });
  app.addHook("onSend", (request, reply, _payload, done) => {
    reply.header("server-timing", formatServerTiming(request.context, clock.nowMs()));
    done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    const durationMs = clock.nowMs() - request.context.startedMs;
    const route = request.routeOptions.url ?? "unknown";
    options.observer.answered(request.method, route, reply.statusCode, durationMs);
    options.logAccess(request, reply, durationMs);
    done();
  });
}

function addErrorAnswers(app: FastifyInstance, options: GatewayOptions): void {
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = describeHttpFault(thrown);
    if (error.code === "internal") {
      options.logger.error("A request failed because of a bug.", {
        requestId: request.id,
        cause: error.cause,
      });
    }
    return answerError(error, request, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const allowed = METHODS.filter((method) => app.findRoute({ url: path, method }) !== null);
    if (allowed.length === 0) {
      const message = "There is nothing at this address; GET /openapi.json lists what there is.";
      return answerError(new SluiceError("not_found", message), request, reply);
    }
    reply.header("allow", allowed.join(", "));
    const message = `This address answers ${allowed.join(", ")} only.`;
    return answerError(new SluiceError("method_not_allowed", message), request, reply);
  });
}

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;

/** Callers' own ids come back, so that they find their requests again; anything odd is replaced by ours. */
function correlationId(request: FastifyRequest): string {
  const sent = request.headers["x-request-id"];
  return typeof sent === "string" && /^[\w.:-]{1,128}$/.test(sent) ? sent : request.id;
}
