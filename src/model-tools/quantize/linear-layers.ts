import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import type { GraphIndex } from "../onnx/graph-index.ts";
import { createGraphIndex } from "../onnx/graph-index.ts";
import type { WeightMatrix } from "./quantize-weights.ts";
import { readFloatConstant, readNumberAttribute } from "./read-constant.ts";

/** One multiplication with constant weights, with the addition of its bias where there is one. */
export interface LinearLayer {
  /** The node's name, for reports; unique in the graph. */
  readonly name: string;
  /** MatMul, or Gemm that only multiplies and adds. */
  readonly product: NodeProto;
  /** The Add behind a MatMul that adds the bias. */
  readonly addition: NodeProto | undefined;
  /** Name of the value that is multiplied. */
  readonly input: string;
  /** Name of the value that comes out, bias included. */
  readonly output: string;
  readonly weightName: string;
  readonly matrix: WeightMatrix;
  /** `matrix.columns` values, or undefined when nothing is added. */
  readonly bias: Float32Array | undefined;
}

/**
 * Finds the linear layers of an encoder, in the order of the graph. The head (pooler and classifier: what no
 * normalization or attention follows) is left out: it is small, and its errors go straight into the answer.
 */
export function findLinearLayers(graph: GraphProto): LinearLayer[] {
  const index = createGraphIndex(graph);
  const inner = findInnerNodes(graph, index);
  return graph.node
    .filter((node) => inner.has(node))
    .map((node) => toLinearLayer(node, index))
    .filter((layer) => layer !== undefined);
}

const INNER_OPERATORS = new Set([
  "LayerNormalization",
  "SkipLayerNormalization",
  "Softmax",
  "RMSNormalization",
]);

/** Every node that a normalization or an attention follows. A LayerNormalization may be spelled out as ReduceMean and Sqrt. */
function findInnerNodes(graph: GraphProto, index: GraphIndex): ReadonlySet<NodeProto> {
  const inner = new Set<NodeProto>();
  const visit = (value: string) => {
    const producer = index.producerOf(value);
    if (producer === undefined || inner.has(producer)) return;
    inner.add(producer);
    for (const input of producer.input) visit(input);
  };
  for (const node of graph.node) {
    // A Softmax that makes the model's own output is the classifier's, not an attention's.
    if (node.opType === "Softmax" && node.output.some(index.isOutput)) continue;
    const isSpelledOut =
      node.opType === "Sqrt" && index.producerOf(node.input[0] ?? "")?.opType === "Add";
    if (!INNER_OPERATORS.has(node.opType) && !isSpelledOut) continue;
    for (const input of node.input) visit(input);
  }
  return inner;
}

function toLinearLayer(node: NodeProto, index: GraphIndex): LinearLayer | undefined {
  const [input = "", weightName = "", gemmBias = ""] = node.input;
  const [output = ""] = node.output;
  const isGemm = node.opType === "Gemm";
  if (!isGemm && node.opType !== "MatMul") return undefined;
  if (node.domain !== "" || index.constantOf(input) !== undefined) return undefined;
  if (isGemm && !isPlainGemm(node)) return undefined;
  const weight = readFloatConstant(index, weightName);
  if (weight?.dims.length !== 2) return undefined;
  const isTransposed = isGemm && readNumberAttribute(node, "transB") === 1;
  const matrix = toMatrix(weight.dims, weight.data, isTransposed);
  const name = node.name === "" ? output : node.name;
  const common = { name, product: node, input, weightName, matrix };
  if (isGemm) {
    const bias = gemmBias === "" ? undefined : readBias(index, gemmBias, matrix.columns);
    if (gemmBias !== "" && bias === undefined) return undefined;
    return { ...common, addition: undefined, output, bias };
  }
  const added = findBiasAddition(index, output, matrix.columns);
  return {
    ...common,
    addition: added?.node,
    output: added?.node.output[0] ?? output,
    bias: added?.bias,
  };
}

/** alpha and beta 1, left side not transposed. */
function isPlainGemm(node: NodeProto): boolean {
  return (
    (readNumberAttribute(node, "alpha") ?? 1) === 1 &&
    (readNumberAttribute(node, "beta") ?? 1) === 1 &&
    (readNumberAttribute(node, "transA") ?? 0) === 0
  );
}

function toMatrix(
  dims: readonly number[],
  data: Float32Array,
  isTransposed: boolean,
): WeightMatrix {
  const [first = 0, second = 0] = dims;
  if (!isTransposed) return { rows: first, columns: second, data };
  const turned = new Float32Array(data.length);
  for (let n = 0; n < first; n++) {
    for (let k = 0; k < second; k++) turned[k * first + n] = data[n * second + k] as number;
  }
  return { rows: second, columns: first, data: turned };
}

/** The Add that is the only reader of `value` and adds one constant per column. */
function findBiasAddition(
  index: GraphIndex,
  value: string,
  columns: number,
): { node: NodeProto; bias: Float32Array } | undefined {
  const [consumer, ...others] = index.consumersOf(value);
  const node = consumer?.node;
  if (node?.opType !== "Add" || others.length > 0 || index.isOutput(value)) return undefined;
  const addend = node.input[0] === value ? node.input[1] : node.input[0];
  const bias = readBias(index, addend ?? "", columns);
  return bias === undefined ? undefined : { node, bias };
}

function readBias(index: GraphIndex, name: string, columns: number): Float32Array | undefined {
  const constant = readFloatConstant(index, name);
  const isVector = constant?.data.length === columns && constant.dims.at(-1) === columns;
  return isVector ? constant.data : undefined;
}
