import type { ConfigSource } from "../config/config-error.ts";
import { ConfigError } from "../config/config-error.ts";
import { asksEngines } from "../config/for-role.ts";
import type { Config } from "../config/schema.ts";
import type { GraphProblem, KnownModels, KnownVersion } from "../core/graphs/check-graph.ts";
import { findGraphProblems } from "../core/graphs/check-graph.ts";
import type { Graphs } from "../core/graphs/graph.ts";
import { toGraph } from "../core/graphs/graph.ts";
import type { VersionStatus } from "../core/models/registry.ts";
import type { Logger } from "../core/ports/logger.ts";

/** The graphs that the configuration declares, by name. */
export function createGraphs({ graphs }: Pick<Config, "graphs">): Graphs {
  return new Map(graphs.map((declared) => [declared.name, toGraph(declared)]));
}

/**
 * Holds graphs against the models, once these are loaded. Who asks engines for models only logs what is wrong: an engine that has
 * a model may come later.
 *
 * @throws ConfigError with every mistake
 */
export function assertGraphsFit(
  graphs: Graphs,
  versions: readonly VersionStatus[],
  config: Config,
  logger: Logger,
): void {
  if (graphs.size === 0) return;
  const problems = findGraphProblems(graphs, toKnownModels(versions, config));
  if (problems.length === 0) return;
  const error = new ConfigError(problems.map(toConfigProblem));
  if (!asksEngines(config)) throw error;
  logger.warn("graphs do not fit the models of the engines", { problems: error.message });
}

const SOURCE: ConfigSource = { kind: "models" };

function toConfigProblem(problem: GraphProblem) {
  return { ...problem, source: SOURCE };
}

/** A model on servers elsewhere is known by its declaration, because these may not be there yet. */
function toKnownModels(
  versions: readonly VersionStatus[],
  { models: { remote } }: Config,
): KnownModels {
  const models = new Map<string, KnownVersion[]>();
  for (const { model, version, isDefault, serving, tensors } of versions) {
    const known = models.get(model) ?? [];
    models.set(model, known);
    const task = serving?.manifest.task ?? tensors?.manifest.task;
    known.push({ version, isDefault, task, manifest: serving?.manifest });
  }
  for (const { name, version = "1.0.0", task = "tensor" } of remote) {
    const known = models.get(name) ?? [];
    models.set(name, known);
    if (known.some((one) => one.version === version)) continue;
    known.push({ version, isDefault: known.length === 0, task, manifest: undefined });
  }
  return models;
}
