import type { GraphProto, NodeProto, TensorProto } from "../../generated/onnx_pb.ts";

/** The graphs inside a node, e.g. the branches of If. */
export function listSubgraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g === undefined ? graphs : [g, ...graphs]));
}

/** Every tensor of a graph: initializers, and constants in attributes; those of its subgraphs too. */
export function listTensors(graph: GraphProto): TensorProto[] {
  const inNodes = graph.node.flatMap((node) => [
    ...node.attribute.flatMap(({ t, tensors }) => (t === undefined ? tensors : [t, ...tensors])),
    ...listSubgraphs(node).flatMap(listTensors),
  ]);
  return [...graph.initializer, ...inNodes];
}
