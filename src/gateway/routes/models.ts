import type { FastifyInstance } from "fastify";
import type { VersionStatus } from "../../core/models/registry.ts";
import { JSON_TYPE } from "../answer.ts";
import type { RouteOptions } from "../gateway-options.ts";

const modelsSchema = {
  type: "object",
  required: ["models"],
  properties: {
    models: {
      type: "array",
      items: {
        type: "object",
        required: ["model", "version", "state", "is_default"],
        properties: {
          model: { type: "string" },
          version: { type: "string" },
          state: { type: "string" },
          reason: { type: "string", description: "Why it failed." },
          is_default: { type: "boolean", description: "Answers requests that name no version." },
          labels: { type: "array", items: { type: "string" } },
          languages: { type: "array", items: { type: "string" } },
          description: { type: "string" },
          backend: { type: "string" },
        },
      },
    },
  },
};

/** `GET /models`: every model version, its state, and what it can say. */
export function registerModels(app: FastifyInstance, options: RouteOptions): void {
  app.get(
    "/models",
    {
      schema: {
        summary: "Models and their versions",
        tags: ["models"],
        security: [{}, { apiKey: [] }],
        response: { 200: { description: "By model and version.", ...modelsSchema } },
      },
    },
    async (request, reply) => {
      const body = JSON.stringify({ models: options.pipeline.registry.list().map(toWire) });
      options.answerer.send(request, reply, { status: 200, contentType: JSON_TYPE, body });
    },
  );
}

function toWire(status: VersionStatus) {
  const manifest = status.serving?.manifest;
  return {
    model: status.model,
    version: status.version,
    state: status.state,
    reason: status.reason,
    is_default: status.isDefault,
    labels: manifest?.labels,
    languages: manifest?.languages,
    description: manifest?.description,
    backend: status.serving?.backend.description,
  };
}
