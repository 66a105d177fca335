import type { detectWrittenLanguage } from "../text/written-language.ts";

/** What a step asks: a model, or another graph by its name. */
export interface Target {
  readonly model: string;
  /** `undefined` = as if a caller had named none. Graphs have no versions. */
  readonly version?: string | undefined;
}

/** What must be true of a text and of the answer that it has so far. Everything that is named must hold. */
export interface Condition {
  /** The language that the text's script gives away. */
  readonly language?: WrittenLanguage | undefined;
  /** The best label of the answer, whatever its confidence. */
  readonly label?: string | undefined;
  /** The best score of the answer is below this, 0..1. */
  readonly confidenceBelow?: number | undefined;
  /** The best score of the answer is this or more, 0..1. */
  readonly confidenceAtLeast?: number | undefined;
}

export type WrittenLanguage = NonNullable<ReturnType<typeof detectWrittenLanguage>>;

/** A target that only texts reach for which the condition holds. */
export interface ConditionalTarget extends Target {
  readonly when?: Condition | undefined;
}

/** A target whose answer counts as much as its weight says; 1 when left out. */
export interface WeightedTarget extends Target {
  readonly weight?: number | undefined;
}

/** How answers become one: the mean of their scores, or the share of weights that went to each label. */
export type Combination = "average" | "vote";

/** A graph as the configuration writes it: one of `sequence`, `switch` and `ensemble`, and what belongs to it. */
export interface GraphDeclaration {
  readonly name: string;
  readonly sequence?: readonly ConditionalTarget[] | undefined;
  readonly switch?: readonly ConditionalTarget[] | undefined;
  readonly on?: Target | undefined;
  readonly otherwise?: Target | undefined;
  readonly ensemble?: readonly WeightedTarget[] | undefined;
  readonly combine?: Combination | undefined;
}

/** Several models that answer as one. */
export type Graph = Sequence | Switch | Ensemble;

/** One step after the other; every step that runs replaces the answer before. */
export interface Sequence {
  readonly kind: "sequence";
  readonly name: string;
  /** At least one. The first has no condition; every other has one. */
  readonly steps: readonly ConditionalTarget[];
}

/** The first case whose condition holds, or `otherwise`. */
export interface Switch {
  readonly kind: "switch";
  readonly name: string;
  /** The classifier whose answer the conditions look at; `undefined` when they look at the text alone. */
  readonly on: Target | undefined;
  readonly cases: readonly ConditionalTarget[];
  readonly otherwise: Target;
}

/** Several classifiers at once. */
export interface Ensemble {
  readonly kind: "ensemble";
  readonly name: string;
  /** At least two. */
  readonly members: readonly WeightedTarget[];
  readonly combine: Combination;
}

/** By name. */
export type Graphs = ReadonlyMap<string, Graph>;

/** @param declared a graph in whose declaration the configuration found no mistake */
export function toGraph(declared: GraphDeclaration): Graph {
  const { name, sequence, ensemble, combine = "average", on, otherwise } = declared;
  if (sequence !== undefined) return { kind: "sequence", name, steps: sequence };
  if (ensemble !== undefined) return { kind: "ensemble", name, members: ensemble, combine };
  const cases = declared.switch ?? [];
  return { kind: "switch", name, on, cases, otherwise: otherwise ?? { model: name } };
}

/**
 * The model that stands for a graph where one has to be shown: the first step, what `otherwise` names, or the first member.
 * Graphs in it are followed.
 */
export function leadOf(graph: Graph, graphs: Graphs): Target {
  const lead = leadStep(graph);
  const inner = graphs.get(lead.model);
  return inner === undefined ? lead : leadOf(inner, graphs);
}

function leadStep(graph: Graph): Target {
  if (graph.kind === "switch") return graph.otherwise;
  const [first] = graph.kind === "sequence" ? graph.steps : graph.members;
  return first ?? { model: graph.name };
}

/** Everything that a graph may ask, with the setting that names it, below the graph's own. */
export function targetsOf(
  graph: Graph,
): readonly (ConditionalTarget & WeightedTarget & { readonly at: string })[] {
  switch (graph.kind) {
    case "sequence":
      return graph.steps.map((step, index) => ({ ...step, at: `sequence[${index}]` }));
    case "ensemble":
      return graph.members.map((member, index) => ({ ...member, at: `ensemble[${index}]` }));
    case "switch":
      return [
        ...(graph.on === undefined ? [] : [{ ...graph.on, at: "on" }]),
        ...graph.cases.map((one, index) => ({ ...one, at: `switch[${index}]` })),
        { ...graph.otherwise, at: "otherwise" },
      ];
  }
}
