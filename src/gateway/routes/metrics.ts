import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";

/** `GET /metrics` in the Prometheus text format. Asks for a key wherever inference does. */
export function createMetricsRoute({ metrics }: GatewayOptions): Route {
  return {
    method: "GET",
    path: "/metrics",
    access: "caller",
    schema: {
      summary: "Metrics for Prometheus",
      tags: ["operations"],
      response: { 200: { description: "Prometheus text format.", type: "string" } },
    },
    handle: async () => ({
      status: 200,
      contentType: metrics.contentType,
      body: await metrics.render(),
    }),
  };
}
