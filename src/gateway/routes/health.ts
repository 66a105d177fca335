import type { FastifyInstance } from "fastify";
import { JSON_TYPE } from "../answer.ts";
import type { RouteOptions } from "../gateway-options.ts";

const healthSchema = {
  type: "object",
  required: ["status", "timestamp", "model_service"],
  properties: {
    status: { enum: ["healthy", "draining", "unhealthy"] },
    timestamp: { type: "string", format: "date-time" },
    model_service: {
      enum: ["ready", "unavailable"],
      description: "Whether the default model answers.",
    },
  },
};

/**
 * `/health` for people and load balancers, `/health/live` (restart me when this fails) and `/health/ready` (send me
 * traffic while this holds) for orchestrators.
 */
export function registerHealth(app: FastifyInstance, options: RouteOptions): void {
  const isModelReady = (): boolean => {
    const statuses = options.pipeline.registry.list();
    return statuses.some((s) => s.model === options.defaultModel && s.state === "ready");
  };
  const describe = () => {
    const ready = isModelReady();
    const healthy = ready ? "healthy" : "unhealthy";
    return {
      status: options.isDraining() ? "draining" : healthy,
      timestamp: new Date(options.pipeline.clock.epochMs()).toISOString(),
      model_service: ready ? "ready" : "unavailable",
    };
  };
  const readiness = {
    config: { access: "public" },
    schema: {
      summary: "Whether this process can serve",
      tags: ["operations"],
      response: {
        200: { description: "It can.", ...healthSchema },
        503: { description: "It cannot, or is about to stop.", ...healthSchema },
      },
    },
  } as const;
  for (const path of ["/health", "/health/ready"]) {
    app.get(path, readiness, async (request, reply) => {
      const health = describe();
      const status = health.status === "healthy" ? 200 : 503;
      const body = JSON.stringify(health);
      options.answerer.send(request, reply, { status, contentType: JSON_TYPE, body });
    });
  }
  app.get(
    "/health/live",
    {
      config: { access: "public" },
      schema: {
        summary: "Whether this process runs",
        tags: ["operations"],
        response: { 200: { description: "It does.", type: "object" } },
      },
    },
    async (request, reply) => {
      const body = JSON.stringify({ status: "alive" });
      options.answerer.send(request, reply, { status: 200, contentType: JSON_TYPE, body });
    },
  );
}
