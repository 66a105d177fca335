import type { NodeProto } from "../../generated/onnx_pb.ts";
import type { GraphIndex } from "./graph-index.ts";
import { countElements } from "./tensor-data.ts";

/** A node that multiplies its input by weights. */
export interface WeightProduct {
  readonly node: NodeProto;
  /** Multiplications with addition for one row of the input, e.g. one token. */
  readonly multiplyAdds: number;
  /** Length of what comes out of one row. */
  readonly columns: number;
}

/** Where operators take their weights, and how many of the last dimensions make the rows that come out. */
const WEIGHT_INPUTS: Readonly<Record<string, readonly number[]>> = {
  Attention: [1],
  Conv: [1],
  ConvInteger: [1],
  DynamicQuantizeMatMul: [1],
  FusedGemm: [1],
  FusedMatMul: [1],
  GRU: [1, 2],
  Gemm: [1],
  LSTM: [1, 2],
  MatMul: [0, 1],
  MatMulInteger: [0, 1],
  MatMulIntegerToFloat: [1],
  QAttention: [1],
  QGemm: [3],
  QLinearConv: [3],
  QLinearMatMul: [3],
  RNN: [1, 2],
};

/** Operators that only change how a value is written down. */
const TRANSPARENT = new Set([
  "Cast",
  "DequantizeLinear",
  "Identity",
  "QuantizeLinear",
  "Transpose",
]);

/** Undefined for a node that multiplies by no weights. */
export function readWeightProduct(node: NodeProto, index: GraphIndex): WeightProduct | undefined {
  if (node.opType === "MatMulNBits") {
    const [rows = 0, columns = 0] = [readWhole(node, "K"), readWhole(node, "N")];
    return { node, multiplyAdds: rows * columns, columns };
  }
  const weights = (WEIGHT_INPUTS[node.opType] ?? []).flatMap((input) => {
    const tensor = findConstant(node.input[input] ?? "", index);
    // A factor or a vector is no matrix; impossible sizes are the checker's to report.
    const isMatrix = tensor !== undefined && tensor.dims.length >= 2 && isPossible(tensor.dims);
    return isMatrix ? [tensor] : [];
  });
  const [first] = weights;
  if (first === undefined) return undefined;
  const multiplyAdds = weights.reduce((sum, tensor) => sum + countElements(tensor), 0);
  const isTurned = node.opType.endsWith("Conv") || readWhole(node, "transB") === 1;
  return { node, multiplyAdds, columns: Number(isTurned ? first.dims[0] : first.dims.at(-1)) };
}

function isPossible(dims: readonly bigint[]): boolean {
  return dims.every((size) => size >= 0n) && dims.reduce((a, b) => a * b, 1n) < 2n ** 53n;
}

/** The tensor behind a value that is the same in every run, however it is stored. */
function findConstant(value: string, index: GraphIndex) {
  let name = value;
  // A graph without circles ends; one with circles must not keep us.
  for (let steps = 0; steps < 8; steps++) {
    const constant = index.constantOf(name);
    if (constant !== undefined) return constant;
    const producer = index.producerOf(name);
    if (producer === undefined || !TRANSPARENT.has(producer.opType)) return undefined;
    name = producer.input[0] ?? "";
  }
  return undefined;
}

/** A whole-number attribute; undefined when it is not set. */
export function readWhole(node: NodeProto, name: string): number | undefined {
  const attribute = node.attribute.find((candidate) => candidate.name === name);
  return attribute === undefined ? undefined : Number(attribute.i);
}
