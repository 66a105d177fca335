import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Answer, Answerer } from "./answer.ts";

/** One address of the API. */
export interface Route {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** `public` routes need no key and are not counted against any allowance. */
  readonly access: "public" | "caller";
  /** For the OpenAPI document; bodies are checked by the protocols' decoders. */
  readonly schema: object;
  /** What it throws is answered as an error. */
  handle(request: FastifyRequest): Answer | Promise<Answer>;
}

export interface RouteRegistration {
  readonly answerer: Answerer;
  /** Lets a caller in or throws; may have to wait for a shared store. */
  readonly admit: (request: FastifyRequest) => void | Promise<void>;
}

/** Puts a route on the server. What is the same for every request of a route is decided here, once. */
export function registerRoute(
  app: FastifyInstance,
  route: Route,
  { answerer, admit }: RouteRegistration,
): void {
  app.route({
    method: route.method,
    url: route.path,
    schema: route.schema,
    onRequest: (request, _reply, done) => {
      request.context.route = route.path;
      const admitted = route.access === "public" ? undefined : admit(request);
      if (admitted === undefined) done();
      else admitted.then(() => done(), done);
    },
    handler: async (request, reply) => {
      answerer.send(request, reply, await route.handle(request));
    },
  });
}
