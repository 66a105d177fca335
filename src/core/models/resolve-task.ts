import { SluiceError } from "../errors.ts";
import type { TextTask } from "./manifest.ts";
import type { ModelRegistry } from "./registry.ts";
import type { ServingVersion } from "./serving-version.ts";

/** What a request wants of a model that it may leave unnamed. */
export interface WantedTask {
  /** Any of these will do. */
  readonly tasks: readonly TextTask[];
  /** `undefined` = whichever model does it. */
  readonly model: string | undefined;
  readonly defaultModel: string;
}

/**
 * The model that answers a request of a protocol whose requests need not name one: the default model if it does the
 * task, or else the first by name that is ready and does it.
 *
 * @returns the default version of that model
 * @throws SluiceError `not_found` and `unavailable` as `ModelRegistry.resolve`; `invalid_argument` about `model` when it
 * does something else, or none here does it
 */
export function resolveTask(
  registry: Pick<ModelRegistry, "resolveAny" | "list">,
  { tasks, model, defaultModel }: WantedTask,
): ServingVersion {
  const does = (serving: ServingVersion | undefined): serving is ServingVersion =>
    serving !== undefined && tasks.includes(serving.manifest.task);
  if (model !== undefined) {
    const { serving } = registry.resolveAny(model, undefined);
    if (does(serving)) return serving;
    throw wrongTask(`Model ${model} does not do ${tasks.join(" or ")}; name one that does`);
  }
  const capable = registry
    .list()
    .filter(({ isDefault, state }) => isDefault && state === "ready")
    .map(({ serving }) => serving)
    .filter(does);
  const chosen = capable.find(({ manifest }) => manifest.name === defaultModel) ?? capable[0];
  if (chosen !== undefined) return chosen;
  // A default model that is not ready yet may be the one.
  registry.resolveAny(defaultModel, undefined);
  throw wrongTask(`No model here does ${tasks.join(" or ")}; GET /models lists what there is`);
}

/**
 * The same, and models that wait for somebody to ask for them are loaded first where that is needed: the named one, or all of
 * them when none that is ready does the task.
 */
export async function wakeTask(
  registry: Pick<ModelRegistry, "resolveAny" | "list" | "wake">,
  wanted: WantedTask,
): Promise<ServingVersion> {
  const { model, tasks } = wanted;
  const isReady = ({ serving }: { readonly serving: ServingVersion | undefined }) =>
    serving !== undefined && tasks.includes(serving.manifest.task);
  if (model !== undefined) await registry.wake(model);
  else if (!registry.list().some(isReady)) {
    const names = new Set(registry.list().map((status) => status.model));
    for (const name of names) await registry.wake(name);
  }
  return resolveTask(registry, wanted);
}

function wrongTask(problem: string): SluiceError {
  return new SluiceError("invalid_argument", `${problem}.`, {
    details: [{ field: "model", problem }],
  });
}
