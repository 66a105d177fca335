import { create } from "@bufbuild/protobuf";
import type { GraphProto, ModelProto, NodeProto } from "../../generated/onnx_pb.ts";
import { OperatorSetIdProtoSchema } from "../../generated/onnx_pb.ts";
import { listCapturedValues } from "./graph-index.ts";
import { listSubgraphs } from "./list-tensors.ts";

/** Puts nodes into the places of others; an empty list removes one. Nodes that are not in the graph are no error. */
export function replaceNodes(
  graph: GraphProto,
  replacements: ReadonlyMap<NodeProto, readonly NodeProto[]>,
): void {
  graph.node = graph.node.flatMap((node) => replacements.get(node) ?? [node]);
}

/** Lets every node that reads `from` read `to`, subgraphs included. The graph's outputs keep their names. */
export function redirectConsumers(graph: GraphProto, from: string, to: string): void {
  for (const node of graph.node) {
    node.input = node.input.map((value) => (value === from ? to : value));
    for (const inner of listSubgraphs(node)) {
      const shadows =
        inner.input.some(({ name }) => name === from) ||
        inner.initializer.some(({ name }) => name === from) ||
        inner.node.some(({ output }) => output.includes(from));
      if (!shadows) redirectConsumers(inner, from, to);
    }
  }
}

/**
 * Removes nodes that make nothing which anybody reads, then initializers and declared types of values that are left
 * without a reader. Initializers that are also inputs stay.
 *
 * @returns how many nodes and initializers were removed.
 */
export function removeUnused(graph: GraphProto): { nodes: number; initializers: number } {
  const needed = new Set(graph.output.map(({ name }) => name));
  const kept = new Set<NodeProto>();
  const producers = new Map(
    graph.node.flatMap((node) => node.output.map((value): [string, NodeProto] => [value, node])),
  );
  // A set that grows while it is walked over visits what is added too.
  for (const value of needed) {
    const node = producers.get(value);
    if (node === undefined || kept.has(node)) continue;
    kept.add(node);
    for (const read of [...node.input, ...listCapturedValues(node)]) needed.add(read);
  }
  const inputs = new Set(graph.input.map(({ name }) => name));
  const before = { nodes: graph.node.length, initializers: graph.initializer.length };
  graph.node = graph.node.filter((node) => kept.has(node));
  graph.initializer = graph.initializer.filter(({ name }) => needed.has(name) || inputs.has(name));
  graph.valueInfo = graph.valueInfo.filter(({ name }) => needed.has(name));
  return {
    nodes: before.nodes - graph.node.length,
    initializers: before.initializers - graph.initializer.length,
  };
}

/**
 * Creates a function that turns a wanted name into one that neither a value nor a node of the graph has, and that it has
 * not given before.
 */
export function createNameSource(graph: GraphProto): (wanted: string) => string {
  const taken = new Set(listNames(graph));
  return (wanted) => {
    let name = wanted;
    for (let number = 2; name === "" || taken.has(name); number++) name = `${wanted}_${number}`;
    taken.add(name);
    return name;
  };
}

function listNames(graph: GraphProto): string[] {
  return [
    ...[...graph.input, ...graph.output, ...graph.initializer].map(({ name }) => name),
    ...graph.node.flatMap((node) => [
      node.name,
      ...node.input,
      ...node.output,
      ...listSubgraphs(node).flatMap(listNames),
    ]),
  ];
}

/** States that the model uses a set of operators: adds it, or raises its version if it is lower. */
export function importOpset(model: ModelProto, domain: string, version: number): void {
  const known = model.opsetImport.find((opset) => opset.domain === domain);
  if (known === undefined) {
    const opset = create(OperatorSetIdProtoSchema, { domain, version: BigInt(version) });
    model.opsetImport.push(opset);
  } else if (known.version < BigInt(version)) {
    known.version = BigInt(version);
  }
}
