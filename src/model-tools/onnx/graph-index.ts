import type { GraphProto, NodeProto, TensorProto } from "../../generated/onnx_pb.ts";
import { listSubgraphs } from "./list-tensors.ts";

/** One place where a value is read. */
export interface Consumer {
  readonly node: NodeProto;
  /** Index in `node.input`; -1 when a subgraph of the node reads the value. */
  readonly input: number;
}

/** Who makes and who reads the values of a graph, as it was when the index was created. */
export interface GraphIndex {
  /** The tensor behind a value that is the same in every run: an initializer, or what a Constant node holds. */
  constantOf(value: string): TensorProto | undefined;
  /** The node that makes a value; undefined for inputs and initializers. */
  producerOf(value: string): NodeProto | undefined;
  consumersOf(value: string): readonly Consumer[];
  isInput(value: string): boolean;
  isOutput(value: string): boolean;
}

/** Looks through a graph once. */
export function createGraphIndex(graph: GraphProto): GraphIndex {
  const producers = new Map<string, NodeProto>();
  const consumers = new Map<string, Consumer[]>();
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const inputs = new Set(graph.input.map(({ name }) => name));
  const outputs = new Set(graph.output.map(({ name }) => name));
  const note = (value: string, consumer: Consumer) => {
    const known = consumers.get(value);
    if (known === undefined) consumers.set(value, [consumer]);
    else known.push(consumer);
  };
  for (const node of graph.node) {
    for (const output of node.output) producers.set(output, node);
    for (const [input, value] of node.input.entries()) note(value, { node, input });
    for (const value of listCapturedValues(node)) note(value, { node, input: -1 });
    const [output] = node.output;
    const constant = readConstantNode(node);
    if (output !== undefined && constant !== undefined) constants.set(output, constant);
  }
  return {
    constantOf: (value) => constants.get(value),
    producerOf: (value) => producers.get(value),
    consumersOf: (value) => consumers.get(value) ?? [],
    isInput: (value) => inputs.has(value),
    isOutput: (value) => outputs.has(value),
  };
}

function readConstantNode(node: NodeProto): TensorProto | undefined {
  if (node.opType !== "Constant") return undefined;
  return node.attribute.find(({ name }) => name === "value")?.t;
}

/** Values that the subgraphs of a node read from the graphs around them. */
export function listCapturedValues(node: NodeProto): string[] {
  return listSubgraphs(node).flatMap((graph) => {
    const own = new Set([
      ...graph.input.map(({ name }) => name),
      ...graph.initializer.map(({ name }) => name),
      ...graph.node.flatMap(({ output }) => output),
    ]);
    const read = [
      ...graph.node.flatMap((inner) => [...inner.input, ...listCapturedValues(inner)]),
      ...graph.output.map(({ name }) => name),
    ];
    return [...new Set(read)].filter((value) => value !== "" && !own.has(value));
  });
}
