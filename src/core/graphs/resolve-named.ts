import { SluiceError } from "../errors.ts";
import type { ModelRegistry, VersionStatus } from "../models/registry.ts";
import type { WantedTask } from "../models/resolve-task.ts";
import { wakeTask } from "../models/resolve-task.ts";
import type { ServingVersion } from "../models/serving-version.ts";
import type { Graphs } from "./graph.ts";
import { leadOf } from "./graph.ts";

/** What names of callers stand for. */
export interface Named {
  readonly registry: Pick<ModelRegistry, "resolveAny" | "list" | "wake">;
  readonly graphs: Graphs;
}

/**
 * The version that a name stands for: that of the model, or of the one that stands for the graph (`leadOf`).
 *
 * @throws SluiceError as `ModelRegistry.resolveAny`; `invalid_argument` for a version of a graph
 */
export function resolveNamed(
  { registry, graphs }: Named,
  model: string,
  version: string | undefined,
): Pick<VersionStatus, "serving" | "tensors"> {
  const graph = graphs.get(model);
  if (graph === undefined) return registry.resolveAny(model, version);
  assertNoVersion(graph.name, version);
  const lead = leadOf(graph, graphs);
  return registry.resolveAny(lead.model, lead.version);
}

/**
 * As `wakeTask`, where the name may be that of a graph.
 *
 * @returns `model`: the name to ask by
 * @throws SluiceError as `resolveTask`
 */
export async function resolveNamedTask(
  named: Named,
  wanted: WantedTask,
): Promise<{ readonly model: string; readonly serving: ServingVersion }> {
  const model = wanted.model ?? wanted.defaultModel;
  const graph = named.graphs.get(model);
  if (graph !== undefined) {
    await named.registry.wake(leadOf(graph, named.graphs).model);
    const { serving } = resolveNamed(named, model, undefined);
    if (serving !== undefined && wanted.tasks.includes(serving.manifest.task)) {
      return { model, serving };
    }
    if (wanted.model !== undefined) throw wrongTask(model, wanted.tasks);
  }
  const serving = await wakeTask(named.registry, wanted);
  return { model: serving.manifest.name, serving };
}

/** @throws SluiceError `invalid_argument` */
export function assertNoVersion(graph: string, version: string | undefined): void {
  if (version === undefined) return;
  const problem = `${graph} is a graph, which has no versions; leave it out`;
  throw new SluiceError("invalid_argument", `model_version: ${problem}.`, {
    details: [{ field: "model_version", problem }],
  });
}

function wrongTask(graph: string, tasks: readonly string[]): SluiceError {
  const problem = `The graph ${graph} does not do ${tasks.join(" or ")}; name a model that does`;
  return new SluiceError("invalid_argument", `${problem}.`, {
    details: [{ field: "model", problem }],
  });
}
