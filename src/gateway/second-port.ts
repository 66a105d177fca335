import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { FastifyInstance } from "fastify";
import { answerClientError, SLOW_CLIENT_CHECK_MS } from "./client-error.ts";
import type { ServerLimits } from "./gateway-options.ts";

/** Requests that came through the second port. */
const THROUGH_SECOND = new WeakSet<IncomingMessage>();

/**
 * Another port with the same routes, behind the same limits: where clients of a server expect it that had the port
 * before. It does not listen yet.
 */
export function createSecondPort(app: FastifyInstance, limits: ServerLimits): Server {
  const server = createServer(
    {
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      connectionsCheckingInterval: SLOW_CLIENT_CHECK_MS,
    },
    (request, response) => {
      THROUGH_SECOND.add(request);
      app.routing(request, response);
    },
  );
  server.maxConnections = limits.maxConnections;
  server.on("clientError", answerClientError);
  return server;
}

/** Whether `request` came through that port, for protocols that answer differently where they are at home. */
export function isThroughSecondPort(request: { readonly raw: IncomingMessage }): boolean {
  return THROUGH_SECOND.has(request.raw);
}

/** Resolves with the port that was opened; rejects with the system's error when it is taken. */
export function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : port);
    });
  });
}
