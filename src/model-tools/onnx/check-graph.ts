import { BinaryReader } from "@bufbuild/protobuf/wire";
import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import { listCapturedValues } from "./graph-index.ts";
import { listSubgraphs } from "./list-tensors.ts";
import type { ModelFinding } from "./model-finding.ts";
import { createError, createWarning } from "./model-finding.ts";

/**
 * Checks the wiring of a graph and its subgraphs: every value has one maker and is known before it is read, and outputs
 * are made.
 *
 * @param outer values of the graphs around it.
 */
export function checkGraph(
  graph: GraphProto,
  outer: ReadonlySet<string> = new Set(),
): ModelFinding[] {
  const { findings, given } = collectGiven(graph);
  const makers = findMakers(graph, given, findings);
  const known = new Set([...outer, ...given]);
  const early: NodeProto[] = [];
  for (const node of graph.node) {
    const missing = listReads(node).filter((value) => !known.has(value));
    for (const value of missing.filter((each) => !makers.has(each))) {
      findings.push(createError(toTitle(node), `reads "${value}", which nothing makes`));
    }
    if (missing.some((value) => makers.has(value))) early.push(node);
    for (const inner of listSubgraphs(node)) findings.push(...checkGraph(inner, known));
    for (const value of node.output) known.add(value);
  }
  findings.push(...describeDisorder(graph, makers, early));
  const lost = graph.output.filter(({ name }) => !known.has(name));
  findings.push(...lost.map(({ name }) => createError(name, "is an output, but nothing makes it")));
  if (graph.output.length === 0) findings.push(createError("model", "has no outputs"));
  return findings;
}

/** Inputs and initializers. */
function collectGiven(graph: GraphProto): { findings: ModelFinding[]; given: Set<string> } {
  const findings: ModelFinding[] = [];
  const note = (names: readonly string[], kind: string): Set<string> => {
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) findings.push(createError(name, `is the name of two ${kind}`));
      if (name === "") findings.push(createError("model", `has ${kind} without a name`));
      seen.add(name);
    }
    return seen;
  };
  const inputs = graph.input.map(({ name }) => name);
  const initializers = [...graph.initializer.map(({ name }) => name), ...listSparseNames(graph)];
  // An initializer that is an input too is that input's default.
  const given = new Set([...note(inputs, "inputs"), ...note(initializers, "initializers")]);
  return { findings, given };
}

function findMakers(
  graph: GraphProto,
  given: ReadonlySet<string>,
  findings: ModelFinding[],
): ReadonlyMap<string, NodeProto> {
  const makers = new Map<string, NodeProto>();
  const nodeNames = new Set<string>();
  for (const node of graph.node) {
    if (node.opType === "") findings.push(createError(toTitle(node), "names no operator"));
    if (node.name !== "" && nodeNames.has(node.name)) {
      findings.push(createWarning(node.name, "is the name of two nodes"));
    }
    nodeNames.add(node.name);
    for (const value of node.output.filter((name) => name !== "")) {
      if (makers.has(value)) findings.push(createError(value, "is made by two nodes"));
      if (given.has(value)) {
        findings.push(createError(value, "is made by a node, and is an input or initializer too"));
      }
      makers.set(value, node);
    }
  }
  return makers;
}

/** Nodes that read what a later node makes: in the wrong order, or in a circle. */
function describeDisorder(
  graph: GraphProto,
  makers: ReadonlyMap<string, NodeProto>,
  early: readonly NodeProto[],
): ModelFinding[] {
  if (early.length === 0) return [];
  const circle = findCircle(graph, makers);
  if (circle !== undefined) {
    const [first = ""] = circle;
    return [createError(first, `depends on itself: ${[...circle, first].join(" → ")}`)];
  }
  return early.map((node) =>
    createError(toTitle(node), "stands before a node that makes what it reads"),
  );
}

/** Names of the nodes along one circle, each reading what the one before it makes; undefined when there is none. */
function findCircle(
  graph: GraphProto,
  makers: ReadonlyMap<string, NodeProto>,
): string[] | undefined {
  const left = new Set(graph.node);
  const dependsOnLeft = (node: NodeProto) => sourcesOf(node, makers).find((each) => left.has(each));
  // Taking away what depends on nothing that is left, until nothing changes, leaves circles and what follows them.
  for (let before = -1; before !== left.size; ) {
    before = left.size;
    for (const node of left) if (dependsOnLeft(node) === undefined) left.delete(node);
  }
  const path: NodeProto[] = [];
  for (let [node] = left; node !== undefined; node = dependsOnLeft(node)) {
    const start = path.indexOf(node);
    if (start >= 0) return path.slice(start).reverse().map(toTitle);
    path.push(node);
  }
  return undefined;
}

function sourcesOf(node: NodeProto, makers: ReadonlyMap<string, NodeProto>): NodeProto[] {
  return listReads(node).flatMap((value) => makers.get(value) ?? []);
}

function listReads(node: NodeProto): string[] {
  return [...node.input.filter((value) => value !== ""), ...listCapturedValues(node)];
}

function toTitle(node: NodeProto): string {
  return node.name !== "" ? node.name : `${node.opType} → ${node.output[0] ?? "nothing"}`;
}

/**
 * Names of sparse initializers, which `proto/onnx.proto` leaves out: field 15 of the graph, whose field 1 is a tensor,
 * whose field 8 is the name.
 */
function listSparseNames(graph: GraphProto): string[] {
  const sparse = (graph.$unknown ?? []).filter(({ no, wireType }) => no === 15 && wireType === 2);
  return sparse.flatMap(({ data }) => {
    const values = findField(new BinaryReader(data).bytes(), 1);
    const name = values === undefined ? undefined : findField(values, 8);
    return name === undefined ? [] : [new TextDecoder().decode(name)];
  });
}

/** The content of the first field of a message that has the number and a length; undefined when there is none. */
function findField(message: Uint8Array, wanted: number): Uint8Array | undefined {
  const reader = new BinaryReader(message);
  try {
    while (reader.pos < reader.len) {
      const [no, wireType] = reader.tag();
      if (no === wanted && wireType === 2) return reader.bytes();
      reader.skip(wireType, no);
    }
  } catch {
    // Damaged: whoever reads the value that is not found here is reported.
  }
  return undefined;
}
