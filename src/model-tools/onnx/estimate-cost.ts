import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import type { GraphIndex } from "./graph-index.ts";
import { createGraphIndex } from "./graph-index.ts";
import { findSequenceValues, listTokenInputs } from "./sequence-values.ts";
import type { WeightProduct } from "./weight-products.ts";
import { readWeightProduct } from "./weight-products.ts";

/** Multiplications with addition that a model does for one text; all else is small beside them. */
export interface CostEstimate {
  /** With weights, for every token. */
  readonly perToken: number;
  /** With weights, once: pooler and classifier. */
  readonly perText: number;
  /** Of tokens with tokens, for every pair: attention. */
  readonly perPair: number;
}

/**
 * Estimates from the sizes of weights what one text costs. Attention is recognised by products of two values that both
 * have a row per token.
 *
 * @returns undefined when the model has no input of tokens.
 */
export function estimateCost(graph: GraphProto): CostEstimate | undefined {
  if (listTokenInputs(graph).length === 0) return undefined;
  const index = createGraphIndex(graph);
  const sequences = findSequenceValues(graph, index);
  const cost = { perToken: 0, perText: 0, perPair: 0 };
  for (const node of graph.node) {
    const product = readWeightProduct(node, index);
    const isPerToken = node.input.some((value) => sequences.has(value));
    if (product !== undefined) cost[isPerToken ? "perToken" : "perText"] += product.multiplyAdds;
    if (isPerToken) cost.perPair += countPairWork(node, product, index, sequences);
  }
  return cost;
}

/** What one text of so many tokens costs. */
export function toMultiplyAdds({ perToken, perText, perPair }: CostEstimate, tokens: number) {
  return {
    weights: perToken * tokens + perText,
    attention: perPair * tokens * tokens,
  };
}

/** Operators of whole attentions: queries with keys, and shares with values. */
const FUSED_ATTENTION = new Set(["GroupQueryAttention", "MultiHeadAttention"]);

function countPairWork(
  node: NodeProto,
  product: WeightProduct | undefined,
  index: GraphIndex,
  sequences: ReadonlySet<string>,
): number {
  // Queries, keys and values side by side.
  if (/^Q?Attention$/.test(node.opType) && product !== undefined) return (2 * product.columns) / 3;
  if (FUSED_ATTENTION.has(node.opType)) return 2 * (findWidth(node.input[0] ?? "", index) ?? 0);
  if (product !== undefined || !/MatMul/.test(node.opType)) return 0;
  const factors = node.input.filter((value) => sequences.has(value));
  if (factors.length < 2) return 0;
  for (const factor of factors) {
    const width = findWidth(factor, index);
    if (width !== undefined) return width;
  }
  return 0;
}

/** Operators that keep the number of elements per token. */
const KEEPS_WIDTH = new Set([
  "Add",
  "Cast",
  "DequantizeLinear",
  "Div",
  "Identity",
  "Mul",
  "QuantizeLinear",
  "Reshape",
  "Split",
  "Squeeze",
  "Transpose",
  "Unsqueeze",
]);

/** Elements per token of a value that goes back to a product with weights; all heads together. */
function findWidth(value: string, index: GraphIndex, depth = 0): number | undefined {
  const node = index.producerOf(value);
  if (node === undefined || depth > 32) return undefined;
  const product = readWeightProduct(node, index);
  if (product !== undefined) return product.columns;
  if (!KEEPS_WIDTH.has(node.opType)) return undefined;
  for (const input of node.input) {
    const width = findWidth(input, index, depth + 1);
    if (width !== undefined) return node.opType === "Split" ? width / node.output.length : width;
  }
  return undefined;
}
