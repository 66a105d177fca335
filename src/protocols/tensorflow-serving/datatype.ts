import type { TensorDatatype } from "../../core/ports/tensor.ts";

/** TensorFlow's names. Source: tensorflow/core/framework/types.proto */
const TENSORFLOW_TYPES = {
  BOOL: "DT_BOOL",
  UINT8: "DT_UINT8",
  UINT16: "DT_UINT16",
  UINT32: "DT_UINT32",
  UINT64: "DT_UINT64",
  INT8: "DT_INT8",
  INT16: "DT_INT16",
  INT32: "DT_INT32",
  INT64: "DT_INT64",
  FP16: "DT_HALF",
  FP32: "DT_FLOAT",
  FP64: "DT_DOUBLE",
  BYTES: "DT_STRING",
} as const satisfies Record<TensorDatatype, `DT_${string}`>;

/** A datatype of ours by TensorFlow's name. */
export type TensorFlowType = (typeof TENSORFLOW_TYPES)[TensorDatatype];

/** By TensorFlow's name. */
const DATATYPES: ReadonlyMap<string, TensorDatatype> = new Map(
  Object.entries(TENSORFLOW_TYPES).map(([datatype, name]) => [name, datatype as TensorDatatype]),
);

/** TensorFlow's name of a datatype. */
export function toTensorFlowType(datatype: TensorDatatype): TensorFlowType {
  return TENSORFLOW_TYPES[datatype];
}

/** The datatype that TensorFlow calls so; undefined when it is none of ours. */
export function fromTensorFlowType(name: string): TensorDatatype | undefined {
  return DATATYPES.get(name);
}
