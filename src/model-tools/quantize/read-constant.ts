import type { NodeProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import type { GraphIndex } from "../onnx/graph-index.ts";
import { toEmbeddedBytes, toView } from "../onnx/tensor-data.ts";

/** A float32 constant of a graph. */
export interface FloatConstant {
  readonly dims: readonly number[];
  /** Row-major; may be shared with the graph, so read only. */
  readonly data: Float32Array;
}

/** The constant behind a value; undefined when the value is computed, or its elements are not float32. */
export function readFloatConstant(index: GraphIndex, value: string): FloatConstant | undefined {
  const tensor = index.constantOf(value);
  if (tensor?.dataType !== TensorProto_DataType.FLOAT) return undefined;
  return {
    dims: tensor.dims.map(Number),
    data: new Float32Array(...toView(toEmbeddedBytes(tensor), 4)),
  };
}

/** A number attribute of a node; undefined when it is not set. */
export function readNumberAttribute(node: NodeProto, name: string): number | undefined {
  const attribute = node.attribute.find((candidate) => candidate.name === name);
  if (attribute === undefined) return undefined;
  return Object.hasOwn(attribute, "f") ? attribute.f : Number(attribute.i);
}
