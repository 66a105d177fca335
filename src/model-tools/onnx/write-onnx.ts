import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, toBinary } from "@bufbuild/protobuf";
import type {
  AttributeProto,
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

/** One call of a standard operator, with one output. Whole numbers are the only attributes that our graphs need. */
export function createNode(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number>> = {},
): NodeProto {
  return create(NodeProtoSchema, {
    name: output,
    opType: operator,
    input: [...inputs],
    output: [output],
    attribute: Object.entries(attributes).map(([name, value]) => createIntAttribute(name, value)),
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

/** The bytes of a model file. The same graph always gives the same bytes. */
export function writeOnnx(graph: OnnxGraph): Uint8Array {
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
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, init));
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

function createIntAttribute(name: string, value: number): AttributeProto {
  return create(AttributeProtoSchema, {
    name,
    i: BigInt(value),
    type: AttributeProto_AttributeType.INT,
  });
}
