import type { FastifyInstance } from "fastify";
import type { RouteOptions } from "../gateway-options.ts";

/** `GET /metrics` in the Prometheus text format. Asks for a key wherever inference does. */
export function registerMetrics(app: FastifyInstance, { metrics, answerer }: RouteOptions): void {
  app.get(
    "/metrics",
    {
      schema: {
        summary: "Metrics for Prometheus",
        tags: ["operations"],
        response: { 200: { description: "Prometheus text format.", type: "string" } },
      },
    },
    async (request, reply) => {
      const body = await metrics.render();
      answerer.send(request, reply, { status: 200, contentType: metrics.contentType, body });
    },
  );
}
