import { fromBinary } from "@bufbuild/protobuf";
import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
} from "../../../generated/onnx_pb.ts";
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
} from "../../../generated/onnx_pb.ts";

/** The weights of an n-gram classifier, as `model-tools/onnx/write-ngram-classifier.ts` stores them. */
export interface NgramGraph {
  readonly buckets: number;
  readonly dimensions: number;
  readonly classes: number;
  /** Whether the sum over n ids is divided by √n instead of n. */
  readonly dividesByRoot: boolean;
  /** `buckets * dimensions` values, row-major, scales applied; row 0 is zeros. */
  readonly embeddings: Float32Array;
  /** `dimensions * classes` values, row-major. */
  readonly projection: Float32Array;
  readonly bias: Float32Array;
}

const { FLOAT, INT8, INT64 } = TensorProto_DataType;

const FLOAT_LOOKUP = ["looked_up = Gather(embeddings, ids)"];
const INT8_LOOKUP = [
  "looked_up_int8 = Gather(embeddings, ids)",
  `looked_up_unscaled = Cast(looked_up_int8; to=${FLOAT})`,
  "looked_up_scales = Gather(row_scales, ids)",
  "looked_up = Mul(looked_up_unscaled, looked_up_scales)",
];
const COUNT = [
  "summed = ReduceSum(looked_up, length_axis; keepdims=0)",
  "is_pad = Equal(ids, pad_id)",
  "is_id = Not(is_pad)",
  `is_id_float = Cast(is_id; to=${FLOAT})`,
  "id_count = ReduceSum(is_id_float, length_axis; keepdims=1)",
];
const MEAN = ["divisor = Max(id_count, one)"];
const ROOT = ["count = Max(id_count, one)", "divisor = Sqrt(count)"];
const PROJECT = [
  "combined = Div(summed, divisor)",
  "projected = MatMul(combined, projection)",
  "logits = Add(projected, bias)",
];

/** The four graphs that the kernel computes, node by node. Anything else is left to ONNX Runtime. */
const KNOWN_GRAPHS = [
  { nodes: [...FLOAT_LOOKUP, ...COUNT, ...MEAN, ...PROJECT], int8: false, dividesByRoot: false },
  { nodes: [...FLOAT_LOOKUP, ...COUNT, ...ROOT, ...PROJECT], int8: false, dividesByRoot: true },
  { nodes: [...INT8_LOOKUP, ...COUNT, ...MEAN, ...PROJECT], int8: true, dividesByRoot: false },
  { nodes: [...INT8_LOOKUP, ...COUNT, ...ROOT, ...PROJECT], int8: true, dividesByRoot: true },
];

/**
 * Reads an n-gram classifier out of the bytes of a model file. The metadata only says that it is worth looking: the
 * graph counts, so a file whose nodes, constants or shapes differ in anything is not recognised.
 *
 * @returns undefined when the bytes are anything but such a model.
 */
export function parseNgramGraph(modelBytes: Uint8Array): NgramGraph | undefined {
  const model = parseModel(modelBytes);
  const graph = model?.graph;
  if (model === undefined || graph === undefined || !claimsToBeNgrams(model)) return undefined;
  const described = graph.node.map(describeNode).join("\n");
  const known = KNOWN_GRAPHS.find((candidate) => candidate.nodes.join("\n") === described);
  if (known === undefined || !hasExpectedEnds(graph) || !hasExpectedConstants(graph)) {
    return undefined;
  }
  const projection = findTensor(graph, "projection", FLOAT);
  const table = findTensor(graph, "embeddings", known.int8 ? INT8 : FLOAT);
  const bias = readFloats(findTensor(graph, "bias", FLOAT));
  const [dimensions = 0, classes = 0] = projection?.dims.map(Number) ?? [];
  const buckets = Number(table?.dims[0] ?? 0);
  const embeddings = known.int8
    ? readScaledRows(table, findTensor(graph, "row_scales", FLOAT), dimensions)
    : readFloats(table);
  const weights = readFloats(projection);
  if (embeddings?.length !== buckets * dimensions || bias?.length !== classes) return undefined;
  if (weights?.length !== dimensions * classes || classes < 1 || buckets < 1) return undefined;
  if (embeddings.subarray(0, dimensions).some((value) => value !== 0)) return undefined;
  const { dividesByRoot } = known;
  return { buckets, dimensions, classes, dividesByRoot, embeddings, projection: weights, bias };
}

function parseModel(modelBytes: Uint8Array): ModelProto | undefined {
  try {
    return fromBinary(ModelProtoSchema, modelBytes);
  } catch {
    // ONNX Runtime gets the same file next and says what is wrong with it.
    return undefined;
  }
}

function claimsToBeNgrams(model: ModelProto): boolean {
  const metadata = new Map(model.metadataProps.map(({ key, value }) => [key, value]));
  return (
    metadata.get("sluice.graph") === "ngram-classifier" &&
    metadata.get("sluice.graph_version") === "1"
  );
}

/** One line per node, e.g. `summed = ReduceSum(looked_up, length_axis; keepdims=0)`. */
function describeNode(node: NodeProto): string {
  const operator = node.domain === "" ? node.opType : `${node.domain}.${node.opType}`;
  const attributes = node.attribute.map((a) => `; ${a.name}=${describeAttribute(a)}`).join("");
  return `${node.output.join(", ")} = ${operator}(${node.input.join(", ")}${attributes})`;
}

/** Only whole numbers occur in the graphs that we know; anything else must not look like one of them. */
function describeAttribute(attribute: AttributeProto): string {
  return attribute.type === AttributeProto_AttributeType.INT ? String(attribute.i) : "?";
}

function hasExpectedEnds(graph: GraphProto): boolean {
  const inputs = graph.input.map((input) => input.name).join();
  const outputs = graph.output.map((output) => output.name).join();
  return inputs === "ids" && outputs === "logits";
}

function hasExpectedConstants(graph: GraphProto): boolean {
  const axis = readInteger(findTensor(graph, "length_axis", INT64));
  const padId = readInteger(findTensor(graph, "pad_id", INT64));
  const one = readFloats(findTensor(graph, "one", FLOAT));
  return axis === 1n && padId === 0n && one?.length === 1 && one[0] === 1;
}

/** The constant of that name, if it has that type and its elements lie in the file as raw bytes. */
function findTensor(graph: GraphProto, name: string, dataType: number): TensorProto | undefined {
  const tensor = graph.initializer.find((candidate) => candidate.name === name);
  const usable =
    tensor?.dataType === dataType && tensor.dataLocation === TensorProto_DataLocation.DEFAULT;
  return usable ? tensor : undefined;
}

function readInteger(tensor: TensorProto | undefined): bigint | undefined {
  if (tensor?.rawData.byteLength !== 8) return undefined;
  return new DataView(tensor.rawData.buffer, tensor.rawData.byteOffset, 8).getBigInt64(0, true);
}

/** Copies, because the bytes in the file are seldom aligned to four. */
function readFloats(tensor: TensorProto | undefined): Float32Array | undefined {
  if (tensor === undefined || tensor.rawData.byteLength % 4 !== 0) return undefined;
  return new Float32Array(new Uint8Array(tensor.rawData).buffer);
}

function readScaledRows(
  table: TensorProto | undefined,
  scaleTensor: TensorProto | undefined,
  dimensions: number,
): Float32Array | undefined {
  const scales = readFloats(scaleTensor);
  if (table === undefined || scales === undefined) return undefined;
  const { buffer, byteOffset, byteLength } = table.rawData;
  if (byteLength !== scales.length * dimensions) return undefined;
  const values = new Int8Array(buffer, byteOffset, byteLength);
  const rows = new Float32Array(byteLength);
  for (let row = 0; row < scales.length; row++) {
    const scale = scales[row] ?? 0;
    for (let i = row * dimensions; i < (row + 1) * dimensions; i++) {
      rows[i] = (values[i] ?? 0) * scale;
    }
  }
  return rows;
}
