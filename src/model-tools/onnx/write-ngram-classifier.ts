import { SluiceError } from "../../core/errors.ts";
import type { NodeProto, TensorProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import {
  createFloatTensor,
  createInt8Tensor,
  createInt64Tensor,
  createNode,
  createValueInfo,
  writeOnnx,
} from "./write-onnx.ts";

/** Embedding rows in eight bits: row `i` means `values[i] * rowScales[i]`. */
export interface QuantizedEmbeddings {
  /** `buckets * dimensions` values, row-major. */
  readonly values: Int8Array;
  /** One scale per row, `buckets` of them. */
  readonly rowScales: Float32Array;
}

/** Everything that a trained n-gram classifier consists of. */
export interface NgramClassifierWeights {
  /** Rows of the embedding table, the padding row included; ids are 0 … buckets - 1. */
  readonly buckets: number;
  /** Length of one embedding. */
  readonly dimensions: number;
  /** Number of labels. */
  readonly classes: number;
  /** What the sum over the ids of a text is divided by: their number, or its square root. */
  readonly combiner: "mean" | "sqrtn";
  /** `buckets * dimensions` values, row-major. Row 0 belongs to padding and must be zeros. */
  readonly embeddings: Float32Array | QuantizedEmbeddings;
  /** `dimensions * classes` values, row-major. */
  readonly projection: Float32Array;
  /** `classes` values. */
  readonly bias: Float32Array;
}

/**
 * Writes a bag-of-n-grams classifier as an ONNX model of standard operators (operator set 17).
 *
 * - Input `ids`: int64 `[batch, length]`; short rows are filled with id 0.
 * - Output `logits`: float32 `[batch, classes]`
 *   = bias + (sum of E[id] over the row) / c · projection, where n is the number of ids other than 0, at least 1,
 *   and c is n (`mean`) or √n (`sqrtn`).
 *
 * Id 0 needs no mask in the sum because its row is zeros. The metadata (`sluice.graph` and the figures) lets the
 * TypeScript kernel of the embedded backend recognise the graph; it also checks every node, so changing the graph here
 * means changing `backends/onnx/ngram-graph.ts` too, which the parity test will say.
 *
 * The same weights always give the same bytes.
 *
 * @throws SluiceError `invalid_argument` with one detail per array that has a wrong length or a value that is no number.
 */
export function writeNgramClassifier(weights: NgramClassifierWeights): Uint8Array {
  assertWeights(weights);
  const { buckets, dimensions, classes, combiner } = weights;
  return writeOnnx({
    name: "ngram-classifier",
    inputs: [createValueInfo("ids", TensorProto_DataType.INT64, ["batch", "length"])],
    outputs: [createValueInfo("logits", TensorProto_DataType.FLOAT, ["batch", classes])],
    initializers: [
      ...createEmbeddingTensors(weights),
      createFloatTensor("projection", [dimensions, classes], weights.projection),
      createFloatTensor("bias", [classes], weights.bias),
      createInt64Tensor("length_axis", [1], BigInt64Array.of(1n)),
      createInt64Tensor("pad_id", [], BigInt64Array.of(0n)),
      createFloatTensor("one", [], Float32Array.of(1)),
    ],
    nodes: [
      ...createLookupNodes(isQuantized(weights.embeddings)),
      createNode("ReduceSum", ["looked_up", "length_axis"], "summed", { keepdims: 0 }),
      ...createDivisorNodes(combiner),
      createNode("Div", ["summed", "divisor"], "combined"),
      createNode("MatMul", ["combined", "projection"], "projected"),
      createNode("Add", ["projected", "bias"], "logits"),
    ],
    metadata: {
      "sluice.graph": "ngram-classifier",
      "sluice.graph_version": "1",
      "sluice.combiner": combiner,
      "sluice.buckets": String(buckets),
      "sluice.dimensions": String(dimensions),
      "sluice.classes": String(classes),
    },
  });
}

function createEmbeddingTensors(weights: NgramClassifierWeights): TensorProto[] {
  const { buckets, dimensions, embeddings } = weights;
  if (!isQuantized(embeddings)) {
    return [createFloatTensor("embeddings", [buckets, dimensions], embeddings)];
  }
  return [
    createInt8Tensor("embeddings", [buckets, dimensions], embeddings.values),
    createFloatTensor("row_scales", [buckets, 1], embeddings.rowScales),
  ];
}

/** `ids` → `looked_up`, float32 `[batch, length, dimensions]`. */
function createLookupNodes(quantized: boolean): NodeProto[] {
  if (!quantized) return [createNode("Gather", ["embeddings", "ids"], "looked_up")];
  return [
    createNode("Gather", ["embeddings", "ids"], "looked_up_int8"),
    createNode("Cast", ["looked_up_int8"], "looked_up_unscaled", {
      to: TensorProto_DataType.FLOAT,
    }),
    createNode("Gather", ["row_scales", "ids"], "looked_up_scales"),
    createNode("Mul", ["looked_up_unscaled", "looked_up_scales"], "looked_up"),
  ];
}

/** `ids` → `divisor`, float32 `[batch, 1]`. */
function createDivisorNodes(combiner: "mean" | "sqrtn"): NodeProto[] {
  const count = combiner === "mean" ? "divisor" : "count";
  const nodes = [
    createNode("Equal", ["ids", "pad_id"], "is_pad"),
    createNode("Not", ["is_pad"], "is_id"),
    createNode("Cast", ["is_id"], "is_id_float", { to: TensorProto_DataType.FLOAT }),
    createNode("ReduceSum", ["is_id_float", "length_axis"], "id_count", { keepdims: 1 }),
    createNode("Max", ["id_count", "one"], count),
  ];
  if (combiner === "sqrtn") nodes.push(createNode("Sqrt", ["count"], "divisor"));
  return nodes;
}

function isQuantized(
  embeddings: NgramClassifierWeights["embeddings"],
): embeddings is QuantizedEmbeddings {
  return !(embeddings instanceof Float32Array);
}

function assertWeights(weights: NgramClassifierWeights): void {
  const { buckets, dimensions, classes, embeddings } = weights;
  const problems: { field: string; problem: string }[] = [];
  const expectSize = (field: string, value: number, least: number) => {
    if (Number.isInteger(value) && value >= least) return;
    problems.push({ field, problem: `must be a whole number ≥ ${least}; found ${value}` });
  };
  const expectArray = (field: string, data: Float32Array | Int8Array, length: number) => {
    if (data.length !== length) {
      problems.push({ field, problem: `must hold ${length} values; found ${data.length}` });
    } else if (data instanceof Float32Array && !data.every(Number.isFinite)) {
      problems.push({ field, problem: "must hold finite numbers only" });
    }
  };
  expectSize("buckets", buckets, 2);
  expectSize("dimensions", dimensions, 1);
  expectSize("classes", classes, 2);
  const table = isQuantized(embeddings) ? embeddings.values : embeddings;
  expectArray("embeddings", table, buckets * dimensions);
  if (isQuantized(embeddings)) expectArray("rowScales", embeddings.rowScales, buckets);
  if (table.subarray(0, dimensions).some((value) => value !== 0)) {
    problems.push({ field: "embeddings", problem: "must have zeros in row 0, the padding row" });
  }
  expectArray("projection", weights.projection, dimensions * classes);
  expectArray("bias", weights.bias, classes);
  if (problems.length === 0) return;
  const summary = problems.map((p) => `${p.field} ${p.problem}`).join("; ");
  throw new SluiceError("invalid_argument", `Invalid n-gram classifier: ${summary}.`, {
    details: problems,
  });
}
