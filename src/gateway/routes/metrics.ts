import type { FastifyInstance } from "fastify";
import type { GatewayOptions } from "../http-server.ts";

/** `GET /metrics` in the Prometheus text format. Asks for a key wherever inference does. */
export function registerMetrics(app: FastifyInstance, { metrics }: GatewayOptions): void {
  app.get(
    "/metrics",
    {
      schema: {
        summary: "Metrics for Prometheus",
        tags: ["operations"],
        response: { 200: { description: "Prometheus text format.", type: "string" } },
      },
    },
    async (_request, reply) => {
      reply.header("content-type", metrics.contentType);
      return metrics.render();
    },
  );
}
