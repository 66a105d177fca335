import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from "fastify";
import fastify from "fastify";
import { SluiceError, toSluiceError } from "../core/errors.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { ProtocolArea } from "./address-book.ts";
import { createAddressBook } from "./address-book.ts";
import type { Answerer } from "./answer.ts";
import { createAnswerer, describeHttpFault } from "./answer.ts";
import { createAnswerHeaders } from "./answer-headers.ts";
import { answerClientError, answerSlowBody, SLOW_CLIENT_CHECK_MS } from "./client-error.ts";
import type { GatewayOptions, ServerLimits } from "./gateway-options.ts";
import { readBody } from "./middleware/read-body.ts";
import type { SlowBodyWatch } from "./middleware/slow-body.ts";
import { watchSlowBodies } from "./middleware/slow-body.ts";
import { createRequestContext } from "./request-context.ts";
import type { Route, RouteRegistration } from "./route.ts";
import { registerRoute } from "./route.ts";
import { createClassifyRoute } from "./routes/classify.ts";
import { createCollectionRoutes } from "./routes/collections/routes.ts";
import { createDocsRoutes, registerDocs } from "./routes/docs.ts";
import { createFaultRoutes } from "./routes/faults/routes.ts";
import { createFeedbackRoutes } from "./routes/feedback/routes.ts";
import { createHealthRoutes } from "./routes/health.ts";
import { createInferenceCaller } from "./routes/inference.ts";
import { createJobRoutes } from "./routes/jobs/routes.ts";
import { createMetricsRoute } from "./routes/metrics.ts";
import { createModelVersionRoutes } from "./routes/model-versions.ts";
import { createModelsRoute } from "./routes/models.ts";
import { createOpenInferenceRoutes, OPEN_INFERENCE_AREA } from "./routes/open-inference/routes.ts";
import { createOpenAiRoutes } from "./routes/openai.ts";
import { createPredictionsRoute } from "./routes/predictions.ts";
import { createReleaseRoutes } from "./routes/releases/routes.ts";
import {
  createTensorFlowServingRoutes,
  TENSORFLOW_SERVING_AREA,
} from "./routes/tensorflow-serving/routes.ts";
import { createTextEmbeddingsRoutes } from "./routes/text-embeddings-inference.ts";
import { isThroughSecondPort } from "./second-port.ts";

/** Builds the HTTP server with all routes; it does not listen yet. */
export async function createHttpServer(options: GatewayOptions): Promise<FastifyInstance> {
  const { isDraining, observer, pipeline } = options;
  const faults: FrameworkFaults = { answer: undefined };
  const slowBodies = watchOtherBodies(options);
  const app = createApp(options, { faults, slowBodies });
  const answerer = createAnswerer({ clock: pipeline.clock, isDraining, observer });
  addContext(app, pipeline.clock);
  if (options.takesCallers) await registerDocs(app, options.version);
  const routes = options.takesCallers ? listRoutes(app, options) : listWorkerRoutes(options);
  const lookUp = createAddressBook(routes, PROTOCOL_AREAS);
  addErrorAnswers(app, answerer, options.logger);
  faults.answer = (thrown, request, reply) => {
    request.context = createRequestContext(pipeline.clock.nowMs());
    request.context.encodeError = lookUp(request.url).encodeError;
    answerer.fail(request, reply, describeHttpFault(thrown));
  };
  addUnknownAddresses(app, answerer, lookUp);
  const admit = createAdmission(options);
  for (const route of routes) registerRoute(app, route, { answerer, admit, slowBodies });
  return app;
}

/** Every address that callers may ask. */
function listRoutes(app: FastifyInstance, options: GatewayOptions): readonly Route[] {
  const inference = createInferenceCaller(options);
  return [
    createClassifyRoute(options, inference),
    createPredictionsRoute(options, inference),
    createModelsRoute(options),
    ...createModelVersionRoutes(options),
    ...createTextEmbeddingsRoutes(options, inference),
    ...createOpenAiRoutes(options, inference),
    ...createOpenInferenceRoutes(options, inference),
    ...createTensorFlowServingRoutes(options, inference),
    ...createHealthRoutes(options),
    ...(options.jobs === undefined ? [] : createJobRoutes(options, options.jobs)),
    ...(options.releases === undefined ? [] : createReleaseRoutes(options, options.releases)),
    ...createFaultRoutes(options),
    ...(options.feedback === undefined ? [] : createFeedbackRoutes(options, options.feedback)),
    ...(options.collections === undefined
      ? []
      : createCollectionRoutes(options, inference, options.collections.service)),
    createMetricsRoute(options),
    ...createDocsRoutes(app),
  ];
}

/** What a process that only works answers to: those who look after it. */
function listWorkerRoutes(options: GatewayOptions): readonly Route[] {
  return [...createHealthRoutes(options), createMetricsRoute(options)];
}

type CompilersFactory = NonNullable<
  NonNullable<FastifyServerOptions["schemaController"]>["compilersFactory"]
>;

/**
 * Bodies are checked by the protocols' decoders, and answers are written by their encoders; route schemas are there for
 * the OpenAPI document. Named here, and not set later, these keep the framework's own compilers from being loaded. Its
 * types ask for what the validators of one library look like, hence the cast; it calls them as functions.
 */
const NO_COMPILERS = {
  buildValidator: () => () => () => true,
  buildSerializer: () => () => JSON.stringify,
} as unknown as CompilersFactory;

/** Answers what the framework refuses before any hook runs, such as addresses that cannot be decoded. */
interface FrameworkFaults {
  /** Set once there is something to answer with; before that nothing listens. */
  answer: ((thrown: unknown, request: FastifyRequest, reply: FastifyReply) => void) | undefined;
}

/** What the framework's own part of the server is built with. */
interface AppParts {
  readonly faults: FrameworkFaults;
  readonly slowBodies: SlowBodyWatch | undefined;
}

/** Where uploads may take longer than other bodies, those have to be watched here: Node has one limit for all. */
function watchOtherBodies({ server, jobs }: GatewayOptions): SlowBodyWatch | undefined {
  if (jobs === undefined || jobs.receiveTimeoutMs <= server.requestTimeoutMs) return undefined;
  return watchSlowBodies(server.requestTimeoutMs, SLOW_CLIENT_CHECK_MS, answerSlowBody);
}

function createApp(
  { server, jobs }: GatewayOptions,
  { faults, slowBodies }: AppParts,
): FastifyInstance {
  const app = fastify({
    frameworkErrors: (thrown, request, reply) => faults.answer?.(thrown, request, reply),
    bodyLimit: server.maxBodyBytes,
    requestTimeout: Math.max(server.requestTimeoutMs, jobs?.receiveTimeoutMs ?? 0),
    keepAliveTimeout: server.keepAliveTimeoutMs,
    trustProxy: server.trustProxy.length === 0 ? false : [...server.trustProxy],
    routerOptions: { ignoreTrailingSlash: true },
    genReqId: () => randomUUID(),
    http: {
      maxHeaderSize: server.maxHeaderBytes,
      headersTimeout: server.headersTimeoutMs,
      connectionsCheckingInterval: SLOW_CLIENT_CHECK_MS,
    },
    // Draining is ours (see shutdown.ts): what arrives on an open connection is still answered.
    return503OnClosing: false,
    schemaController: { compilersFactory: NO_COMPILERS },
    exposeHeadRoutes: true,
    clientErrorHandler: answerClientError,
    logger: false,
  });
  app.server.maxConnections = server.maxConnections;
  if (slowBodies !== undefined) {
    app.addHook("onRequest", (request, _reply, done) => {
      if (request.method !== "GET") slowBodies.begin(request.raw);
      done();
    });
    app.addHook("onClose", (_app, done) => {
      slowBodies.stop();
      done();
    });
  }
  app.decorateRequest("context");
  app.removeAllContentTypeParsers();
  // Of any type, also of none: some protocols' clients do not say what they send.
  app.addContentTypeParser("*", { parseAs: "buffer" }, (request, body: Buffer, done) => {
    slowBodies?.end(request.raw);
    // Nothing answers at this address, whatever was sent to it.
    if (request.is404) done(null, undefined);
    else passBody(request, body, server, done);
  });
  return app;
}

type BodyDone = (error: Error | null, body?: unknown) => void;

function passBody(
  request: FastifyRequest,
  body: Buffer,
  { maxJsonDepth, maxBodyBytes }: ServerLimits,
  done: BodyDone,
): void {
  const maxBytes = request.routeOptions.bodyLimit ?? maxBodyBytes;
  try {
    const read = readBody(request, body, { maxJsonDepth, maxBytes });
    if (!(read instanceof Promise)) done(null, read);
    else
      read.then(
        (value: unknown) => done(null, value),
        (error) => done(toSluiceError(error)),
      );
  } catch (error) {
    done(toSluiceError(error));
  }
}

function addContext(app: FastifyInstance, clock: Clock): void {
  app.addHook("onRequest", (request, _reply, done) => {
    request.context = createRequestContext(clock.nowMs());
    done();
  });
  // Only pages that plugins send come through here; our own answers are written by the answerer.
  app.addHook("onSend", (request, reply, _payload, done) => {
    const headers = createAnswerHeaders(request, clock.nowMs());
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i] ?? "";
      if (!reply.hasHeader(name)) reply.header(name, headers[i + 1]);
    }
    done();
  });
}

/** What a request must pass before its route sees it, in order: can we keep up, who is it, how often. */
function createAdmission(options: GatewayOptions): RouteRegistration["admit"] {
  const { nowMs } = options.pipeline.clock;
  return (request) => {
    options.assertKeepingUp();
    // A connection that closed meanwhile has no address any more, whatever the type says.
    const address: string | undefined = request.ip;
    const caller = options.authenticate(request.headers, address ?? "unknown");
    request.context.caller = caller;
    const limited = options.limitRate(caller, request.context);
    request.context.authMs = nowMs() - request.context.startedMs;
    return limited;
  };
}

type LookUp = ReturnType<typeof createAddressBook>;

function addErrorAnswers(app: FastifyInstance, answerer: Answerer, logger: Logger): void {
  app.setErrorHandler((thrown: unknown, request, reply) => {
    const error = describeHttpFault(thrown);

    if (error.code === "internal") {
      const fields = { requestId: request.id, cause: error.cause };
      logger.error("A request failed because of a bug.", fields);
    }
    answerer.fail(request, reply, error);
  });
}

function addUnknownAddresses(app: FastifyInstance, answerer: Answerer, lookUp: LookUp): void {
  app.setNotFoundHandler((request, reply) => {
    const [path = ""] = request.url.split("?");
    const isSecond = isThroughSecondPort(request) && path.startsWith("/v1/");
    const { methods, encodeError, describeUnknown } = isSecond
      ? { methods: [], ...TENSORFLOW_SERVING_AREA }
      : lookUp(path);
    request.context.encodeError = encodeError;
    if (describeUnknown !== undefined) {
      answerer.fail(request, reply, describeUnknown(request.method, path));
      return;
    }
    if (methods.length === 0) {
      const message = "There is nothing at this address; GET /openapi.json lists what there is.";
      answerer.fail(request, reply, new SluiceError("not_found", message));
      return;
    }
    reply.raw.setHeader("allow", methods.join(", "));
    const message = `This address answers ${methods.join(", ")} only.`;
    answerer.fail(request, reply, new SluiceError("method_not_allowed", message));
  });
}

/** Addresses that belong to a protocol even where nothing answers. */
const PROTOCOL_AREAS: readonly ProtocolArea[] = [OPEN_INFERENCE_AREA, TENSORFLOW_SERVING_AREA];
