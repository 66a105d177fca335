import type { VersionStatus } from "../../core/models/registry.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";

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
          task: { enum: ["classification", "embedding", "scoring"] },
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
export function createModelsRoute({ pipeline }: GatewayOptions): Route {
  return {
    method: "GET",
    path: "/models",
    access: "caller",
    schema: {
      summary: "Models and their versions",
      tags: ["models"],
      security: [{}, { apiKey: [] }],
      response: { 200: { description: "By model and version.", ...modelsSchema } },
    },
    handle: () => {
      const models = pipeline.registry.list().map(toWire);
      return jsonAnswer(200, JSON.stringify({ models }));
    },
  };
}

function toWire(status: VersionStatus) {
  const manifest = status.serving?.manifest;
  return {
    model: status.model,
    version: status.version,
    state: status.state,
    reason: status.reason,
    is_default: status.isDefault,
    task: manifest?.task,
    labels: manifest?.labels,
    languages: manifest?.languages,
    description: manifest?.description,
    backend: status.serving?.backend.description,
  };
}
