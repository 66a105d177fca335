import type { TextTask } from "../../core/models/manifest.ts";

/** What a body without an address of its own asks for. */
export type Operation = "predict" | "embed" | "rerank" | "similarity";

/** Operations that a body tells by its fields, whatever the model. */
export function decideByFields(body: unknown): "rerank" | "similarity" | undefined {
  const { query, texts, inputs } = fieldsOf(body);
  if (query !== undefined && texts !== undefined) return "rerank";
  return fieldsOf(inputs)["source_sentence"] === undefined ? undefined : "similarity";
}

/** What `POST /` and `POST /invocations` mean: what the body says, or else what the model is for. */
export function decideOperation(body: unknown, task: TextTask): Operation {
  return decideByFields(body) ?? (task === "embedding" ? "embed" : "predict");
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Readonly<Record<string, unknown>>) : {};
}
