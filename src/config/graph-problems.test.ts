import { expect, test } from "vitest";
import { findGraphProblems } from "./graph-problems.ts";

type Graphs = Parameters<typeof findGraphProblems>[0]["graphs"];

const M = { model: "m" };
const pathsOf = (graphs: Graphs) =>
  findGraphProblems({ graphs }, { kind: "default" }).map(({ path }) => path);

test("the three kinds pass as they should be written", () => {
  const graphs: Graphs = [
    { name: "s", sequence: [M, { ...M, when: { confidenceBelow: 0.8 } }] },
    { name: "w", on: M, switch: [{ model: "s", when: { label: "a" } }], otherwise: M },
    { name: "e", ensemble: [{ ...M, weight: 2 }, { model: "w" }], combine: "vote" },
  ];
  expect(pathsOf(graphs)).toEqual([]);
});

test.each<[string, Graphs[number], readonly string[]]>([
  ["no kind", { name: "g" }, ["graphs[0]"]],
  ["two kinds", { name: "g", sequence: [M], ensemble: [M, M] }, ["graphs[0]"]],
  ["no steps", { name: "g", sequence: [] }, ["graphs[0].sequence"]],
  ["no cases", { name: "g", switch: [], otherwise: M }, ["graphs[0].switch"]],
  [
    "a first step with a condition",
    { name: "g", sequence: [{ ...M, when: { language: "zh" } }] },
    ["graphs[0].sequence[0].when"],
  ],
  ["a later step without", { name: "g", sequence: [M, M] }, ["graphs[0].sequence[1].when"]],
  [
    "an empty condition",
    { name: "g", sequence: [M, { ...M, when: {} }] },
    ["graphs[0].sequence[1].when"],
  ],
  [
    "a condition that never holds",
    { name: "g", sequence: [M, { ...M, when: { confidenceBelow: 0.5, confidenceAtLeast: 0.5 } }] },
    ["graphs[0].sequence[1].when.confidenceBelow"],
  ],
  [
    "no otherwise and an answer that nobody gives",
    { name: "g", switch: [{ ...M, when: { label: "a" } }] },
    ["graphs[0].otherwise", "graphs[0].switch[0].when"],
  ],
  ["one member", { name: "g", ensemble: [M] }, ["graphs[0].ensemble"]],
  [
    "a weight of nothing",
    { name: "g", ensemble: [{ ...M, weight: 0 }, M] },
    ["graphs[0].ensemble[0].weight"],
  ],
  [
    "what belongs to another kind",
    { name: "g", sequence: [M], otherwise: M, combine: "vote" },
    ["graphs[0].otherwise", "graphs[0].combine"],
  ],
  ["itself", { name: "g", sequence: [{ model: "g" }] }, ["graphs[0].sequence[0].model"]],
])("%s is found", (_, graph, paths) => {
  expect(pathsOf([graph])).toEqual(paths);
});

test("graphs that lead round, a name twice, and a version of a graph are found", () => {
  const graphs: Graphs = [
    { name: "a", sequence: [{ model: "b" }] },
    { name: "b", sequence: [{ model: "a", version: "1.0.0" }] },
    { name: "b", sequence: [M] },
  ];
  expect(pathsOf(graphs.slice(0, 2))).toEqual([
    "graphs[0].sequence[0].model",
    "graphs[1].sequence[0].version",
    "graphs[1].sequence[0].model",
  ]);
  expect(pathsOf(graphs)).toContain("graphs[2].name");
});

test("graphs that multiply are bounded", () => {
  const ensemble = Array.from({ length: 6 }, () => M);
  const outer = Array.from({ length: 6 }, () => ({ model: "inner" }));
  const graphs: Graphs = [
    { name: "inner", ensemble },
    { name: "outer", ensemble: outer },
  ];
  expect(pathsOf(graphs)).toEqual(["graphs[1]"]);
});
