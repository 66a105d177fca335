import type { FastifyInstance, FastifyRequest, RouteOptions } from "fastify";
import type { ErrorEncoder } from "../protocols/error-encoder.ts";
import { encodeError } from "../protocols/native/encode-error.ts";
import type { Answer, Answerer, StreamedAnswer } from "./answer.ts";
import { compressAnswer } from "./compress-answer.ts";
import type { SlowBodyWatch } from "./middleware/slow-body.ts";
import type { BodyKind } from "./request-context.ts";

/** One address of the API. */
export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** `:name` stands for one segment, `*` at the end for any number of them. */
  readonly path: string;
  /** `public` routes need no key and are not counted against any allowance. */
  readonly access: "public" | "caller";
  /** For the OpenAPI document; bodies are checked by the protocols' decoders. */
  readonly schema: object;
  /** Writes its errors; the native protocol's unless it belongs to another. */
  readonly encodeError?: ErrorEncoder;
  /** What `request.body` is: parsed JSON unless said otherwise. `Content-Encoding` has been undone but for streams. */
  readonly body?: BodyKind;
  /** Longest body; the server's limit for texts unless said otherwise. */
  readonly maxBodyBytes?: number;
  /** Compress answers for those who accept it. */
  readonly compresses?: boolean;
  /** What it throws is answered as an error. */
  handle(
    request: FastifyRequest,
  ): Answer | StreamedAnswer | Promise<Answer> | Promise<Answer | StreamedAnswer>;
}

export interface RouteRegistration {
  readonly answerer: Answerer;
  /** Lets a caller in or throws; may have to wait for a shared store. */
  readonly admit: (request: FastifyRequest) => void | Promise<void>;
  /** Told that a body may take as long as it takes; undefined where all bodies have the same time. */
  readonly slowBodies: SlowBodyWatch | undefined;
}

/** Puts a route on the server. What is the same for every request of a route is decided here, once. */
export function registerRoute(
  app: FastifyInstance,
  route: Route,
  registration: RouteRegistration,
): void {
  if (route.body !== "stream") {
    app.route(toRouteOptions(route, registration));
    return;
  }
  // In a scope of its own, where nothing gathers the body first.
  app.register((scope, _options, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (request, payload, next) => {
      registration.slowBodies?.end(request.raw);
      next(null, payload);
    });
    scope.route(toRouteOptions(route, registration));
    done();
  });
}

function toRouteOptions(route: Route, { answerer, admit }: RouteRegistration): RouteOptions {
  const { path, encodeError: encode = encodeError, body = "json", maxBodyBytes } = route;
  return {
    method: route.method,
    url: path,
    schema: route.schema,
    ...(maxBodyBytes === undefined ? {} : { bodyLimit: maxBodyBytes }),
    onRequest: (request, _reply, done) => {
      const { context } = request;
      context.route = path;
      context.encodeError = encode;
      context.body = body;
      const admitted = route.access === "public" ? undefined : admit(request);
      if (admitted === undefined) done();
      else admitted.then(() => done(), done);
    },
    handler: async (request, reply) => {
      const answer = await route.handle(request);
      if ("parts" in answer) await answerer.stream(request, reply, answer);
      else if (route.compresses !== true) answerer.send(request, reply, answer);
      else {
        const accepted = request.headers["accept-encoding"];
        answerer.send(request, reply, await compressAnswer(answer, accepted));
      }
    },
  };
}
