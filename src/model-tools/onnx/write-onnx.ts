import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import type {
  AttributeProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "../../generated/onnx_pb.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from "../../generated/onnx_pb.ts";

/** Operator set and container version that every graph of ours uses; both are read by ONNX Runtime 1.13 and later. */
const OPSET_VERSION = 17n;
const IR_VERSION = 8n;

/** A size that is fixed, or the name of one that is known only at run time. */
export type OnnxDimension = number | string;

/** What `writeOnnx` puts into a file. Nodes are in an order in which every input is known before it is used. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly ValueInfoProto[];
  readonly initializers: readonly TensorProto[];
  readonly nodes: readonly NodeProto[];
  /** Written to the model's `metadata_props`, in this order. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** A float32 constant. `data` is row-major and is not copied: do not change it before the model is written. */
export function createFloatTensor(
  name: string,
  dims: readonly number[],
  data: Float32Array,
): TensorProto {
  return createTensor(name, dims, TensorProto_DataType.FLOAT, data);
}

/** An int8 constant; see `createFloatTensor`. */
export function createInt8Tensor(
  name: string,
  dims: readonly number[],
  data: Int8Array,
): TensorProto {
  return createTensor(name, dims, TensorProto_DataType.INT8, data);
}

/** An int64 constant; see `createFloatTensor`. */
export function createInt64Tensor(
  name: string,
  dims: readonly number[],
  data: BigInt64Array,
): TensorProto {
  return createTensor(name, dims, TensorProto_DataType.INT64, data);
}

/** A setting of an operator: a whole number, a list of them, or a number that is stored as a float. */
export type OnnxAttribute = number | readonly number[] | { readonly float: number };

/** One call of a standard operator, with one output, which also names the node. */
export function createNode(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, OnnxAttribute>> = {},
): NodeProto {
  return create(NodeProtoSchema, {
    name: output,
    opType: operator,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([name, value]) => createAttribute(name, value)),
  });
}

/** Declares an input or output. `elementType` is a `TensorProto_DataType`. */
export function createValueInfo(
  name: string,
  elementType: number,
  shape: readonly OnnxDimension[],
): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === "number"
        ? { case: "dimValue" as const, value: BigInt(size) }
        : { case: "dimParam" as const, value: size },
  }));
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: elementType, shape: { dim } } } },
  });
}

/** The bytes of a model file, for models below 2 GB. The same graph always gives the same bytes. */
export function writeOnnx(graph: OnnxGraph): Uint8Array {
  return toBinary(ModelProtoSchema, createModel(graph));
}

/** A model of standard operators that holds one graph. Weights are not copied. */
export function createModel(graph: OnnxGraph): ModelProto {
  const init: MessageInitShape<typeof ModelProtoSchema> = {
    irVersion: IR_VERSION,
    producerName: "sluice",
    opsetImport: [{ domain: "", version: OPSET_VERSION }],
    graph: {
      name: graph.name,
      input: [...graph.inputs],
      output: [...graph.outputs],
      initializer: [...graph.initializers],
      node: [...graph.nodes],
    },
    metadataProps: Object.entries(graph.metadata).map(([key, value]) => ({ key, value })),
  };
  return create(ModelProtoSchema, init);
}

/** ONNX stores elements little-endian, which is also how every platform that Node runs on keeps them in memory. */
function createTensor(
  name: string,
  dims: readonly number[],
  dataType: number,
  data: Float32Array | Int8Array | BigInt64Array,
): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType,
    dims: dims.map(BigInt),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}

function createAttribute(name: string, value: OnnxAttribute): AttributeProto {
  const { FLOAT, INT, INTS } = AttributeProto_AttributeType;
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, i: BigInt(value), type: INT });
  }
  if ("float" in value) return create(AttributeProtoSchema, { name, f: value.float, type: FLOAT });
  return create(AttributeProtoSchema, { name, ints: value.map(BigInt), type: INTS });
}
