import type { ModelTask, TextManifest } from "../models/manifest.ts";
import { haveSameLabels } from "./blend-scores.ts";
import { looksAtAnswer } from "./condition.ts";
import type { ConditionalTarget, Graph, Graphs, Target } from "./graph.ts";
import { targetsOf } from "./graph.ts";

/** One mistake of a graph. */
export interface GraphProblem {
  /** Path of the setting, e.g. `graphs[0].switch[1].when.label`. */
  readonly path: string;
  /** Completes "expected …". */
  readonly expected: string;
  /** Completes "found …". */
  readonly found: string;
  /** A sentence that says what to do, where the two above do not say it. */
  readonly advice?: string;
}

/** A version that a graph may ask. */
export interface KnownVersion {
  readonly version: string;
  readonly isDefault: boolean;
  readonly task: ModelTask | undefined;
  /** Of a model of texts; `undefined` while it is not loaded. */
  readonly manifest: Pick<TextManifest, "labels" | "problemType"> | undefined;
}

/** Versions by model. */
export type KnownModels = ReadonlyMap<string, readonly KnownVersion[]>;

/**
 * Everything wrong with graphs that only their models can tell: names and versions that do not exist, labels that no answer has,
 * members of an ensemble that cannot be blended. Pure. A model that is known but not loaded is no mistake of a graph.
 *
 * @param graphs in the order of their declarations, without mistakes of their own
 */
export function findGraphProblems(graphs: Graphs, models: KnownModels): readonly GraphProblem[] {
  const check = { graphs, models };
  return [...graphs.values()].flatMap((graph, index) => {
    const path = `graphs[${index}]`;
    return [
      ...findNameProblems(graph, path, check),
      ...findTargetProblems(graph, path, check),
      ...findTaskProblems(graph, path, check),
      ...findConditionProblems(graph, path, check),
      ...findEnsembleProblems(graph, path, check),
    ];
  });
}

interface Check {
  readonly graphs: Graphs;
  readonly models: KnownModels;
}

function findNameProblems({ name }: Graph, path: string, { models }: Check): GraphProblem[] {
  if (!models.has(name)) return [];
  const expected = "a name that no model has";
  return [{ path: `${path}.name`, expected, found: `${JSON.stringify(name)}, which is a model` }];
}

function findTargetProblems(graph: Graph, path: string, check: Check): GraphProblem[] {
  const { graphs, models } = check;
  return targetsOf(graph).flatMap(({ at, model, version }) => {
    if (graphs.has(model)) return [];
    const versions = models.get(model);
    if (versions === undefined) {
      const names = [...models.keys(), ...graphs.keys()].filter((name) => name !== graph.name);
      const expected = names.length === 0 ? "a model" : `one of ${names.join(", ")}`;
      return [{ path: `${path}.${at}.model`, expected, found: JSON.stringify(model) }];
    }
    if (version === undefined || versions.some((known) => known.version === version)) return [];
    const expected = `one of ${versions.map((known) => known.version).join(", ")}`;
    return [{ path: `${path}.${at}.version`, expected, found: version }];
  });
}

/** What a target may answer with: one version, or more where a graph chooses. Versions that are not loaded are left out. */
function answersOf(target: Target, check: Check): readonly KnownVersion[] {
  const graph = check.graphs.get(target.model);
  if (graph !== undefined) {
    return targetsOf(graph)
      .filter(({ at }) => at !== "on")
      .flatMap((inner) => answersOf(inner, check));
  }
  const versions = check.models.get(target.model) ?? [];
  return versions.filter(({ version, isDefault }) =>
    target.version === undefined ? isDefault : version === target.version,
  );
}

/** All that may answer in place of each other have the same task, because callers ask for one. */
function findTaskProblems(graph: Graph, path: string, check: Check): GraphProblem[] {
  let first: ModelTask | undefined;
  return targetsOf(graph).flatMap(({ at, ...target }) => {
    const tasks = answersOf(target, check).flatMap(({ task }) => task ?? []);
    if (tasks.includes("tensor")) {
      const expected = "a model of texts";
      return [{ path: `${path}.${at}.model`, expected, found: `${target.model}, of task tensor` }];
    }
    if (at === "on") return [];
    first ??= tasks[0];
    const other = tasks.find((task) => task !== first);
    if (other === undefined || first === undefined) return [];
    const expected = `a model of task ${first}, as those before`;
    return [{ path: `${path}.${at}.model`, expected, found: `${target.model}, of task ${other}` }];
  });
}

function findConditionProblems(graph: Graph, path: string, check: Check): GraphProblem[] {
  if (graph.kind === "ensemble") return [];
  if (graph.kind === "switch") {
    const asked = graph.on === undefined ? [] : answersOf(graph.on, check);
    const isAny = graph.cases.some(({ when }) => when !== undefined && looksAtAnswer(when));
    const isClassifier = asked.every(({ task }) => task === undefined || task === "classification");
    if (isAny && !isClassifier) {
      const found = `${graph.on?.model}, of another task`;
      return [{ path: `${path}.on.model`, expected: "a classifier", found }];
    }
    return graph.cases.flatMap((one, at) => labelProblem(one, asked, `${path}.switch[${at}]`));
  }
  return graph.steps.flatMap((step, at) => {
    const before = graph.steps.slice(0, at).flatMap((earlier) => answersOf(earlier, check));
    return labelProblem(step, before, `${path}.sequence[${at}]`);
  });
}

/** Whether the condition is about an answer that none of `answers` can give. */
function labelProblem(
  { when }: ConditionalTarget,
  answers: readonly KnownVersion[],
  path: string,
): GraphProblem[] {
  if (when === undefined || !looksAtAnswer(when)) return [];
  const loaded = answers.filter(({ manifest }) => manifest !== undefined);
  if (loaded.length < answers.length || loaded.length === 0) return [];
  const classifiers = loaded.filter(({ task }) => task === "classification");
  if (classifiers.length === 0) {
    const expected = "a condition about the language, as the answer has no labels";
    return [{ path: `${path}.when`, expected, found: "one about the answer" }];
  }
  const { label } = when;
  const labels = [...new Set(classifiers.flatMap(({ manifest }) => manifest?.labels ?? []))];
  if (label === undefined || labels.includes(label)) return [];
  const expected = `one of ${labels.join(", ")}`;
  return [{ path: `${path}.when.label`, expected, found: JSON.stringify(label) }];
}

function findEnsembleProblems(graph: Graph, path: string, check: Check): GraphProblem[] {
  if (graph.kind !== "ensemble") return [];
  let first: KnownVersion | undefined;
  return graph.members.flatMap((member, index) => {
    for (const known of answersOf(member, check)) {
      const at = `${path}.ensemble[${index}].model`;
      if (known.manifest === undefined) continue;
      const { problemType } = known.manifest;
      if (known.task !== "classification" || problemType === "regression") {
        const found = `${member.model}, which gives no scores of labels`;
        return [{ path: at, expected: "a classifier", found }];
      }
      if (graph.combine === "vote" && problemType === "multi_label_classification") {
        const advice = "Use combine: average.";
        const expected = "a model that gives one label, as each has one vote";
        return [{ path: at, expected, found: `${member.model}, which gives several`, advice }];
      }
      first ??= known;
      if (first.manifest?.problemType !== problemType) {
        const found = `${member.model}, of problem type ${problemType}`;
        return [{ path: at, expected: `problem type ${first.manifest?.problemType}`, found }];
      }
      const { labels } = known.manifest;
      const wanted = first.manifest?.labels ?? [];
      if (haveSameLabels(wanted, labels)) continue;
      const expected = `the labels ${wanted.join(", ")}, as the first member has`;
      return [{ path: at, expected, found: labels.join(", ") }];
    }
    return [];
  });
}
