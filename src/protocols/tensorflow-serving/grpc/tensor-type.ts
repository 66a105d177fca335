import type { TensorDatatype } from "../../../core/ports/tensor.ts";
import { DataType } from "../../../generated/tensorflow_pb.ts";
import { fromTensorFlowType, toTensorFlowType } from "../datatype.ts";

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(DataType).map(([name, number]) => [number, name]),
);

/** The number that messages have for a datatype. */
export function toDataType(datatype: TensorDatatype): DataType {
  return DataType[toTensorFlowType(datatype)];
}

/** The datatype of a number, or what to say about one that is none of ours. */
export function fromDataType(
  type: number,
): { readonly datatype: TensorDatatype } | { readonly problem: string } {
  const name = NAMES.get(type);
  const datatype = name === undefined ? undefined : fromTensorFlowType(name);
  if (datatype !== undefined) return { datatype };
  if (type === DataType.DT_BFLOAT16) {
    return { problem: "is DT_BFLOAT16, which is not supported; send DT_FLOAT" };
  }
  if (type === DataType.DT_INVALID) return { problem: "has no dtype" };
  return { problem: `has the dtype ${type}, which is not supported` };
}
