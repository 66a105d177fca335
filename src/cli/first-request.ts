import type { ModelTask } from "../core/models/manifest.ts";

/** A request that works when pasted. */
export interface FirstRequest {
  readonly path: string;
  /** JSON of a POST; undefined: a GET. */
  readonly body: string | undefined;
}

/** A model with a default version that is ready. */
export interface UsableModel {
  readonly model: string;
  readonly task: ModelTask;
}

const TEXT = "The food was wonderful and the staff were friendly.";
const PAIR = { text: "How was the food?", pair: TEXT };

/**
 * What to try first with these models: the default one when it is there, else another that reads texts. What tensors a
 * model takes is better looked up. Pure.
 */
export function toFirstRequest(models: readonly UsableModel[], defaultModel: string): FirstRequest {
  const reading = models.filter(({ task }) => task !== "tensor");
  const chosen = reading.find(({ model }) => model === defaultModel) ?? reading[0];
  if (chosen === undefined) return { path: "/models", body: undefined };
  const { model, task } = chosen;
  const named = model === defaultModel ? {} : { model };
  if (task === "classification") {
    return { path: "/classify", body: JSON.stringify({ ...named, text: TEXT }) };
  }
  const inputs = [task === "scoring" ? PAIR : TEXT];
  return { path: "/v1/predictions", body: JSON.stringify({ ...named, inputs }) };
}
