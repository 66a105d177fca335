import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Tensor, TensorDatatype } from "../../../core/ports/tensor.ts";
import {
  countElements,
  createTensorData,
  isTensorDatatype,
} from "../../../core/tensors/tensor-data.ts";
import type {
  InferTensorContents,
  InferTensorContentsSchema,
} from "../../../generated/open_inference_pb.ts";
import { toTextOrBytes } from "../../tensor-bytes.ts";
import type { RawTensorHead, ReadTensor } from "../raw-tensor.ts";
import { describeWrongDatatype, describeWrongShape } from "../raw-tensor.ts";

/** The lists that a typed tensor may have its elements in. */
const LISTS = [
  "boolContents",
  "intContents",
  "int64Contents",
  "uintContents",
  "uint64Contents",
  "fp32Contents",
  "fp64Contents",
  "bytesContents",
] as const satisfies readonly (keyof InferTensorContents)[];

type ListName = (typeof LISTS)[number];
/** A datatype that has a list. FP16 has none. */
type TypedDatatype = Exclude<TensorDatatype, "FP16">;

const LIST_OF: Readonly<Record<TypedDatatype, ListName>> = {
  BOOL: "boolContents",
  UINT8: "uintContents",
  UINT16: "uintContents",
  UINT32: "uintContents",
  UINT64: "uint64Contents",
  INT8: "intContents",
  INT16: "intContents",
  INT32: "intContents",
  INT64: "int64Contents",
  FP32: "fp32Contents",
  FP64: "fp64Contents",
  BYTES: "bytesContents",
};

/** Names as the protocol has them, for people. */
const WIRE_NAME: Readonly<Record<ListName, string>> = {
  boolContents: "bool_contents",
  intContents: "int_contents",
  int64Contents: "int64_contents",
  uintContents: "uint_contents",
  uint64Contents: "uint64_contents",
  fp32Contents: "fp32_contents",
  fp64Contents: "fp64_contents",
  bytesContents: "bytes_contents",
};

/** Whether any list has elements. */
export function hasTypedContents(contents: InferTensorContents | undefined): boolean {
  return contents !== undefined && LISTS.some((list) => contents[list].length > 0);
}

/** Whether a tensor of this datatype can be sent other than raw. */
export function hasTypedForm(tensor: Tensor): boolean {
  return tensor.datatype !== "FP16";
}

/** Reads a tensor whose elements are in one of the lists. */
export function readTypedContents(
  { name, datatype, shape }: RawTensorHead,
  contents: InferTensorContents | undefined,
): ReadTensor {
  const elements = countElements(shape);
  if (elements === undefined) return { problem: describeWrongShape(shape) };
  if (!isTensorDatatype(datatype)) return { problem: describeWrongDatatype(datatype) };
  if (datatype === "FP16") return { problem: "is FP16, which has no contents; send it raw" };
  const list = LIST_OF[datatype];
  const wrong = contents && LISTS.find((other) => other !== list && contents[other].length > 0);
  if (wrong !== undefined) {
    const problem = `is ${datatype}, so its elements belong into ${WIRE_NAME[list]}; found ${WIRE_NAME[wrong]}`;
    return { problem };
  }
  const values: readonly unknown[] = contents?.[list] ?? [];
  if (values.length !== elements) {
    const problem = `has ${values.length} elements in ${WIRE_NAME[list]}; its shape [${shape.join(", ")}] has ${elements}`;
    return { problem };
  }
  if (datatype === "BYTES") {
    const data = contents?.bytesContents.map(toTextOrBytes) ?? [];
    return { tensor: { name, datatype, shape, data } };
  }
  const data = createTensorData(datatype, elements);
  // A list of the datatype's own kind; truths become 0 and 1.
  data.set(values as never);
  // Small whole numbers travel as larger ones; those that do not fit come out changed.
  const misfit = list.endsWith("intContents") ? data.findIndex((n, i) => n !== values[i]) : -1;
  if (misfit !== -1) {
    return { problem: `has ${values[misfit]} as element ${misfit}, which is no ${datatype}` };
  }
  return { tensor: { name, datatype, shape, data } as Tensor };
}

/** The lists of a tensor that has a typed form. */
export function toTypedContents(
  tensor: Tensor,
): MessageInitShape<typeof InferTensorContentsSchema> | undefined {
  if (tensor.datatype === "FP16") return undefined;
  const list = LIST_OF[tensor.datatype];
  if (tensor.datatype === "BYTES") {
    return { bytesContents: tensor.data.map((element) => Buffer.from(element)) };
  }
  if (tensor.datatype === "BOOL") {
    return { boolContents: Array.from(tensor.data, (value) => value !== 0) };
  }
  return { [list]: Array.from(tensor.data as ArrayLike<number | bigint>) };
}
