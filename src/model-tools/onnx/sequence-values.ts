import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import type { GraphIndex } from "./graph-index.ts";
import { toEmbeddedBytes, toView } from "./tensor-data.ts";
import { readWhole } from "./weight-products.ts";

/** Names of the inputs that hold one number per token: whole numbers, `[batch, length]`. */
export function listTokenInputs(graph: GraphProto): string[] {
  const wholes: ReadonlySet<number> = new Set([
    TensorProto_DataType.INT64,
    TensorProto_DataType.INT32,
  ]);
  const initializers = new Set(graph.initializer.map(({ name }) => name));
  return graph.input
    .filter(({ name }) => !initializers.has(name))
    .filter(({ type }) => {
      const tensor = type?.value.value;
      return tensor !== undefined && wholes.has(tensor.elemType) && tensor.shape?.dim.length === 2;
    })
    .map(({ name }) => name);
}

/**
 * Finds the values that have a row per token, as far as that can be told without knowing shapes: what depends on an input
 * of tokens, until a reduction over the second axis or a choice of one position takes that axis away.
 */
export function findSequenceValues(graph: GraphProto, index: GraphIndex): ReadonlySet<string> {
  const found = new Set(listTokenInputs(graph));
  for (const node of graph.node) {
    const isSequence = node.input.some((value) => found.has(value)) && !endsSequence(node, index);
    if (isSequence) for (const output of node.output) found.add(output);
  }
  return found;
}

/** The axis of tokens, counted from either end of a value with three axes. */
const TOKEN_AXES: ReadonlySet<number> = new Set([1, -2]);

function endsSequence(node: NodeProto, index: GraphIndex): boolean {
  if (node.opType === "Shape" || node.opType === "Size") return true;
  if (node.opType.startsWith("Reduce")) {
    const axes = readAxes(node, index);
    return axes === undefined || axes.some((axis) => TOKEN_AXES.has(axis));
  }
  if (node.opType === "Gather") {
    const position = index.constantOf(node.input[1] ?? "");
    return position?.dims.length === 0 && TOKEN_AXES.has(readWhole(node, "axis") ?? 0);
  }
  return false;
}

/** Axes of a reduction, an attribute in older sets of operators and an input in newer ones; undefined: all. */
function readAxes(node: NodeProto, index: GraphIndex): readonly number[] | undefined {
  const attribute = node.attribute.find(({ name }) => name === "axes");
  if (attribute !== undefined) return attribute.ints.map(Number);
  const tensor = index.constantOf(node.input[1] ?? "");
  if (tensor?.dataType !== TensorProto_DataType.INT64) return undefined;
  return Array.from(new BigInt64Array(...toView(toEmbeddedBytes(tensor), 8)), Number);
}
