import type { Answer } from "../answer.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";

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

const readinessSchema = {
  summary: "Whether this process can serve",
  tags: ["operations"],
  response: {
    200: { description: "It can.", ...healthSchema },
    503: { description: "It cannot, or is about to stop.", ...healthSchema },
  },
};

const livenessSchema = {
  summary: "Whether this process runs",
  tags: ["operations"],
  response: { 200: { description: "It does.", type: "object" } },
};

/**
 * `/health` for people and load balancers, `/health/live` (restart me when this fails) and `/health/ready` (send me
 * traffic while this holds) for orchestrators.
 */
export function createHealthRoutes(options: GatewayOptions): readonly Route[] {
  const shared = { method: "GET", access: "public" } as const;
  const readiness = { ...shared, schema: readinessSchema, handle: () => answerHealth(options) };
  return [
    { ...readiness, path: "/health" },
    { ...readiness, path: "/health/ready" },
    // Where Amazon SageMaker looks.
    { ...readiness, path: "/ping", schema: { hide: true } },
    {
      ...shared,
      path: "/health/live",
      schema: livenessSchema,
      handle: () => jsonAnswer(200, JSON.stringify({ status: "alive" })),
    },
  ];
}

/** Whether this process can be sent traffic, now and in a moment. */
export function isServing(options: GatewayOptions): boolean {
  return !options.isDraining() && isDefaultReady(options);
}

/** A server that was never given the default model is there for the others. */
function isDefaultReady({ pipeline, defaultModel }: GatewayOptions): boolean {
  const statuses = pipeline.registry.list();
  const ofDefault = statuses.filter(({ model }) => model === defaultModel);
  const awaited = ofDefault.length > 0 ? ofDefault : statuses;
  return awaited.some(({ state }) => state === "ready");
}

function answerHealth(options: GatewayOptions): Answer {
  const { pipeline, isDraining } = options;
  const ready = isDefaultReady(options);
  const status = ready ? "healthy" : "unhealthy";
  const health = {
    status: isDraining() ? "draining" : status,
    timestamp: new Date(pipeline.clock.epochMs()).toISOString(),
    model_service: ready ? "ready" : "unavailable",
  };
  return jsonAnswer(health.status === "healthy" ? 200 : 503, JSON.stringify(health));
}
