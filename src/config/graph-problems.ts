import type { ConfigProblem, ConfigSource } from "./config-error.ts";
import type { Config } from "./schema.ts";

type Graph = Config["graphs"][number];
type Target = NonNullable<Graph["otherwise"]>;
type Condition = NonNullable<NonNullable<Graph["switch"]>[number]["when"]>;

/** Something wrong in a graph, by the path below it. */
interface Mistake {
  readonly at: string;
  readonly expected: string;
  readonly found: string;
  readonly advice?: string;
}

/** Most models that one text may be sent to. Graphs that name graphs multiply. */
const MAX_ASKED = 32;

/** Everything wrong with graphs that can be told without their models. `source` is where they are declared. */
export function findGraphProblems(
  { graphs }: Pick<Config, "graphs">,
  source: ConfigSource,
): ConfigProblem[] {
  const byName = new Map(graphs.map((graph) => [graph.name, graph]));
  return graphs.flatMap((graph, index) => {
    const isRepeated = graphs.findIndex(({ name }) => name === graph.name) < index;
    const mistakes: Mistake[] = [
      ...(isRepeated ? [repeated(graph.name)] : []),
      ...findShapeMistakes(graph),
      ...findNestingMistakes(graph, byName),
    ];
    return mistakes.map(({ at, ...mistake }) => ({
      path: `graphs[${index}]${at === "" ? "" : `.${at}`}`,
      source,
      ...mistake,
    }));
  });
}

function repeated(name: string): Mistake {
  const found = `${JSON.stringify(name)} a second time`;
  return { at: "name", expected: "a name that no other graph has", found };
}

const KINDS = ["sequence", "switch", "ensemble"] as const;

function findShapeMistakes(graph: Graph): Mistake[] {
  const kinds = KINDS.filter((kind) => graph[kind] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    const found = kind === undefined ? "none of them" : kinds.join(" and ");
    const advice =
      "Name the other one in a graph of its own, and that graph as a step of this one.";
    const more = kind === undefined ? {} : { advice };
    return [{ at: "", expected: "one of sequence, switch and ensemble", found, ...more }];
  }
  return [
    ...(kind === "switch" ? [] : findStrays(graph, kind, ["on", "otherwise"], "switch")),
    ...(kind === "ensemble" ? [] : findStrays(graph, kind, ["combine"], "ensemble")),
    ...findSequenceMistakes(graph),
    ...findSwitchMistakes(graph),
    ...findEnsembleMistakes(graph),
  ];
}

function findStrays(
  graph: Graph,
  kind: string,
  keys: readonly ("on" | "otherwise" | "combine")[],
  owner: string,
): Mistake[] {
  return keys
    .filter((key) => graph[key] !== undefined)
    .map((at) => ({
      at,
      expected: `nothing, as it belongs to ${owner}`,
      found: `it in a ${kind}`,
    }));
}

function findSequenceMistakes({ sequence }: Graph): Mistake[] {
  if (sequence === undefined) return [];
  if (sequence.length === 0) {
    return [{ at: "sequence", expected: "at least one step", found: "an empty list" }];
  }
  return sequence.flatMap(({ when }, index) => {
    const at = `sequence[${index}].when`;
    if (when !== undefined) {
      if (index > 0) return findConditionMistakes(when, at);
      const advice = "Remove it, or use switch to choose by the text.";
      const expected = "nothing, as the first step is what every text begins with";
      return [{ at, expected, found: "a condition", advice }];
    }
    if (index === 0) return [];
    const expected = "a condition, as without one no answer of the steps before would ever count";
    return [{ at, expected, found: "nothing", advice: "Add one, or remove the steps before." }];
  });
}

function findSwitchMistakes(graph: Graph): Mistake[] {
  const { switch: cases, otherwise, on } = graph;
  if (cases === undefined) return [];
  const mistakes: Mistake[] = [];
  if (cases.length === 0) {
    mistakes.push({ at: "switch", expected: "at least one case", found: "an empty list" });
  }
  if (otherwise === undefined) {
    const advice = "Name the model for texts that no case is about.";
    mistakes.push({ at: "otherwise", expected: "a model", found: "nothing", advice });
  }
  for (const [index, { when }] of cases.entries()) {
    const at = `switch[${index}].when`;
    if (when === undefined) {
      const advice = "What is to be asked in all other cases belongs to otherwise.";
      mistakes.push({ at, expected: "a condition", found: "nothing", advice });
      continue;
    }
    mistakes.push(...findConditionMistakes(when, at));
    const { language: _, ...aboutAnswer } = when;
    const key = Object.keys(aboutAnswer)[0];
    if (on !== undefined || key === undefined) continue;
    const advice = "Name the classifier in on.";
    const expected = "a condition about the text, as there is no answer to look at";
    mistakes.push({ at, expected, found: key, advice });
  }
  return mistakes;
}

function findConditionMistakes(when: Condition, at: string): Mistake[] {
  const { confidenceBelow, confidenceAtLeast } = when;
  if (Object.keys(when).length === 0) {
    const expected = "one of language, label, confidenceBelow and confidenceAtLeast";
    return [{ at, expected, found: "none of them" }];
  }
  if (confidenceBelow === undefined || (confidenceAtLeast ?? 0) < confidenceBelow) return [];
  const expected = `more than confidenceAtLeast, which is ${confidenceAtLeast ?? 0}`;
  const found = `${confidenceBelow}, so that it never holds`;
  return [{ at: `${at}.confidenceBelow`, expected, found }];
}

function findEnsembleMistakes({ ensemble }: Graph): Mistake[] {
  if (ensemble === undefined) return [];
  const few: Mistake[] =
    ensemble.length > 1
      ? []
      : [{ at: "ensemble", expected: "at least two models", found: `${ensemble.length}` }];
  const weightless = ensemble.flatMap(({ weight }, index) => {
    if (weight !== 0) return [];
    const advice = "Remove the model if it is not to count.";
    return [{ at: `ensemble[${index}].weight`, expected: "more than 0", found: "0", advice }];
  });
  return [...few, ...weightless];
}

type ByName = ReadonlyMap<string, Graph>;

function findNestingMistakes(graph: Graph, byName: ByName): Mistake[] {
  const targets = listTargets(graph);
  const versioned = targets
    .filter(([, { model, version }]) => byName.has(model) && version !== undefined)
    .map(([at, { version }]) => {
      const expected = "nothing, as graphs have no versions";
      return { at: `${at}.version`, expected, found: version ?? "" };
    });
  const round = targets.flatMap(([at, { model }]) => {
    const way = findWay(model, graph.name, byName);
    if (way === undefined) return [];
    const found = [graph.name, ...way].join(" → ");
    const expected = "a way that does not lead back here";
    const advice = "If a model of this name is meant, give the graph another name.";
    const more = model === graph.name ? { advice } : {};
    return [{ at: `${at}.model`, expected, found, ...more }];
  });
  if (round.length > 0) return [...versioned, ...round];
  const asked = countAsked(graph, byName, new Map(), new Set());
  if (asked === undefined || asked <= MAX_ASKED) return versioned;
  const expected = `at most ${MAX_ASKED} models for one text, those of graphs in it included`;
  return [...versioned, { at: "", expected, found: `${asked}` }];
}

function listTargets(graph: Graph): readonly (readonly [string, Target])[] {
  const { on, otherwise } = graph;
  const lists = KINDS.flatMap((kind) =>
    (graph[kind] ?? []).map((target, index) => [`${kind}[${index}]`, target] as const),
  );
  return [
    ...(on === undefined ? [] : [["on", on] as const]),
    ...lists,
    ...(otherwise === undefined ? [] : [["otherwise", otherwise] as const]),
  ];
}

/** The graphs from `name` to `goal`, both included; `undefined` when none leads there. */
function findWay(name: string, goal: string, byName: ByName): readonly string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[name, undefined]]);
  for (const at of cameFrom.keys()) {
    if (at === goal) {
      const way: string[] = [];
      for (let step: string | undefined = at; step !== undefined; step = cameFrom.get(step)) {
        way.unshift(step);
      }
      return way;
    }
    const graph = byName.get(at);
    for (const [, { model }] of graph === undefined ? [] : listTargets(graph)) {
      if (byName.has(model) && !cameFrom.has(model)) cameFrom.set(model, at);
    }
  }
  return undefined;
}

/** How many models one text is sent to at most; `undefined` when graphs in it go round. */
function countAsked(
  graph: Graph,
  byName: ByName,
  known: Map<Graph, number>,
  above: ReadonlySet<Graph>,
): number | undefined {
  const counted = known.get(graph);
  if (counted !== undefined) return counted;
  if (above.has(graph)) return undefined;
  const path = new Set([...above, graph]);
  const count = (target: Target | undefined): number | undefined => {
    const inner = target === undefined ? undefined : byName.get(target.model);
    if (inner !== undefined) return countAsked(inner, byName, known, path);
    return target === undefined ? 0 : 1;
  };
  const all = [...(graph.sequence ?? []), ...(graph.ensemble ?? [])].map(count);
  const cases = [...(graph.switch ?? []), graph.otherwise].map(count);
  const on = count(graph.on);
  if (on === undefined || all.includes(undefined) || cases.includes(undefined)) return undefined;
  const sum = all.reduce<number>((total, one) => total + (one ?? 0), 0);
  const total = on + sum + Math.max(...cases.map((one) => one ?? 0));
  known.set(graph, total);
  return total;
}
