import type { Graph } from "../../core/graphs/graph.ts";
import { leadOf, targetsOf } from "../../core/graphs/graph.ts";
import type { InferencePipeline } from "../../core/inference/run-inference.ts";
import { MODEL_TASKS } from "../../core/models/manifest.ts";
import type { ModelRegistry, VersionStatus } from "../../core/models/registry.ts";
import type { TensorSpec } from "../../core/ports/tensor.ts";
import { jsonAnswer } from "../answer.ts";
import type { GatewayOptions } from "../gateway-options.ts";
import type { Route } from "../route.ts";

const tensorsSchema = (which: string) => ({
  type: "array",
  description: `Tensor models: ${which}.`,
  items: {
    type: "object",
    required: ["name", "datatype"],
    properties: {
      name: { type: "string" },
      datatype: { type: "string" },
      shape: {
        type: "array",
        items: { type: "integer" },
        description: "-1 where any size will do. Absent when the model does not say.",
      },
    },
  },
});

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
          is_pinned: { type: "boolean", description: "Somebody chose it for that." },
          version_labels: {
            type: "array",
            items: { type: "string" },
            description: "Names that requests may use in the place of the version.",
          },
          notice: {
            type: "string",
            description:
              "Why it does not answer requests that name no version, though it is newer.",
          },
          task: { enum: MODEL_TASKS },
          labels: { type: "array", items: { type: "string" } },
          languages: { type: "array", items: { type: "string" } },
          inputs: tensorsSchema("what it reads, all of it needed"),
          outputs: tensorsSchema("what it can be asked for"),
          description: { type: "string" },
          backend: { type: "string" },
        },
      },
    },
    graphs: {
      type: "array",
      description:
        "Models that are made of others, asked by their names. Absent when there are none.",
      items: {
        type: "object",
        required: ["model", "kind", "steps"],
        properties: {
          model: { type: "string" },
          kind: { enum: ["sequence", "switch", "ensemble"] },
          combine: { enum: ["average", "vote"] },
          labels: { type: "array", items: { type: "string" }, description: "Of its first model." },
          steps: { type: "array", items: { type: "object" } },
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
      const { registry } = pipeline;
      const models = registry.list().map((status) => toWire(status, registry));
      const graphs = [...pipeline.graphs.values()].map((graph) => toWireGraph(graph, pipeline));
      const body = graphs.length === 0 ? { models } : { models, graphs };
      return jsonAnswer(200, JSON.stringify(body));
    },
  };
}

/** One version as `GET /models` shows it. */
export function toWire(status: VersionStatus, registry: Pick<ModelRegistry, "choiceOf">) {
  const { model, version, serving, tensors, versionLabels } = status;
  const manifest = serving?.manifest;
  const signature = tensors?.backend.signature;
  return {
    ...{ model, version },
    state: status.state,
    reason: status.reason,
    is_default: status.isDefault,
    is_pinned: registry.choiceOf(model)?.pin === version ? true : undefined,
    version_labels: versionLabels.length > 0 ? versionLabels : undefined,
    notice: status.notice,
    task: manifest?.task ?? tensors?.manifest.task,
    labels: manifest?.labels,
    languages: manifest?.languages,
    inputs: signature?.inputs.map(toWireSpec),
    outputs: signature?.outputs.map(toWireSpec),
    description: manifest?.description ?? tensors?.manifest.description,
    backend: serving?.backend.description ?? tensors?.backend.description,
  };
}

function toWireGraph(graph: Graph, { registry, graphs }: InferencePipeline) {
  const lead = leadOf(graph, graphs);
  const serving = registry
    .list()
    .find(
      ({ model, version, isDefault }) =>
        model === lead.model && (lead.version === undefined ? isDefault : version === lead.version),
    )?.serving;
  return {
    model: graph.name,
    kind: graph.kind,
    combine: graph.kind === "ensemble" ? graph.combine : undefined,
    labels: serving?.manifest.labels,
    steps: targetsOf(graph),
  };
}

/** With -1 for open sizes, as in the Open Inference Protocol. */
function toWireSpec({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape: shape?.map((size) => size ?? -1) };
}
