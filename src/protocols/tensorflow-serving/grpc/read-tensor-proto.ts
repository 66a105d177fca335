import type { Tensor, TensorDatatype } from "../../../core/ports/tensor.ts";
import { countElements, createTensorData } from "../../../core/tensors/tensor-data.ts";
import type { TensorProto, TensorShapeProto } from "../../../generated/tensorflow_pb.ts";
import { elementSize, toTensorData, toTextOrBytes } from "../../tensor-bytes.ts";
import { fromDataType } from "./tensor-type.ts";

/** A tensor, or what is wrong with it. */
export type ReadTensor = { readonly tensor: Tensor } | { readonly problem: string };

/**
 * How many bytes the tensors of one message may still take beyond what was sent. A list that is shorter than its tensor
 * stands for a longer one, so that a few bytes could ask for gigabytes.
 */
export interface FillAllowance {
  bytes: number;
}

/** What all tensors of one message may be filled up by. */
export const MAX_FILL_BYTES = 16 * 1024 * 1024;

const LISTS = [
  "halfVal",
  "floatVal",
  "doubleVal",
  "intVal",
  "stringVal",
  "int64Val",
  "boolVal",
  "uint32Val",
  "uint64Val",
] as const satisfies readonly (keyof TensorProto)[];

type ListName = (typeof LISTS)[number];

/** The list that a datatype has its elements in, and its name in the format. */
export const LIST_OF: Readonly<Record<TensorDatatype, readonly [list: ListName, name: string]>> = {
  BOOL: ["boolVal", "bool_val"],
  UINT8: ["intVal", "int_val"],
  UINT16: ["intVal", "int_val"],
  UINT32: ["uint32Val", "uint32_val"],
  UINT64: ["uint64Val", "uint64_val"],
  INT8: ["intVal", "int_val"],
  INT16: ["intVal", "int_val"],
  INT32: ["intVal", "int_val"],
  INT64: ["int64Val", "int64_val"],
  FP16: ["halfVal", "half_val"],
  FP32: ["floatVal", "float_val"],
  FP64: ["doubleVal", "double_val"],
  BYTES: ["stringVal", "string_val"],
};

interface Head {
  readonly name: string;
  readonly shape: readonly number[];
  readonly elements: number;
}

/**
 * Reads a tensor in TensorFlow's form: its elements as bytes (`tensor_content`), which become a view where they are
 * aligned, or in the list of its datatype. As in TensorFlow, a list that is too short repeats its last element, and an
 * empty one stands for zeros or empty texts.
 *
 * Source: tensorflow/core/framework/tensor.proto and `Tensor::FromProto` in tensor.cc
 */
export function readTensorProto(
  name: string,
  proto: TensorProto,
  allowance: FillAllowance,
): ReadTensor {
  const type = fromDataType(proto.dtype);
  if ("problem" in type) return type;
  const { datatype } = type;
  const shape = readShape(proto.tensorShape);
  if ("problem" in shape) return shape;
  const head = { name, ...shape };
  const [wanted, wantedName] = LIST_OF[datatype];
  if (proto.tensorContent.byteLength > 0) return readContent(head, datatype, proto.tensorContent);
  const wrong = LISTS.some((list) => list !== wanted && proto[list].length > 0);
  if (wrong) return { problem: `has elements in another list than ${wantedName}` };
  const given = proto[wanted].length;
  if (given > head.elements) {
    return { problem: `has ${given} elements in ${wantedName}; its shape has ${head.elements}` };
  }
  const size = datatype === "BYTES" ? 8 : elementSize(datatype);
  allowance.bytes -= (head.elements - given) * size;
  if (allowance.bytes < 0) {
    const problem = `has ${given} elements in ${wantedName}; its shape has ${head.elements}, and only small tensors are filled up`;
    return { problem };
  }
  return readList(head, datatype, proto);
}

/** Sizes and their product. Without a shape, a tensor is a single value. */
function readShape(shape: TensorShapeProto | undefined): Omit<Head, "name"> | { problem: string } {
  if (shape?.unknownRank === true) return { problem: "has no shape (unknown_rank); send one" };
  const sizes = shape?.dim.map(({ size }) => Number(size)) ?? [];
  const elements = countElements(sizes);
  if (elements !== undefined) return { shape: sizes, elements };
  const problem = "has a shape that no tensor has: at most 32 sizes from 0, below 2^31 elements";
  return { problem };
}

function readContent(
  { name, shape, elements }: Head,
  datatype: TensorDatatype,
  content: Uint8Array,
): ReadTensor {
  if (datatype === "BYTES") {
    const data = readStrings(content, elements);
    if (data !== undefined) return { tensor: { name, datatype, shape, data } };
    return { problem: `has a tensor_content that is no list of ${elements} strings` };
  }
  const expected = elements * elementSize(datatype);
  if (content.byteLength !== expected) {
    const problem = `has ${content.byteLength} bytes of tensor_content; its shape takes ${expected}`;
    return { problem };
  }
  const data = toTensorData(datatype, content);
  if (datatype === "BOOL" && data.some((value) => Number(value) > 1)) {
    return { problem: "holds a byte that is neither 0 nor 1, which DT_BOOL is made of" };
  }
  return { tensor: { name, datatype, shape, data } as Tensor };
}

/** Strings as TensorFlow packs them: all lengths as varints, then all bytes. */
function readStrings(
  content: Uint8Array,
  elements: number,
): readonly (string | Uint8Array)[] | undefined {
  if (elements > content.byteLength) return undefined;
  const lengths: number[] = [];
  let offset = 0;
  let length = 0;
  let scale = 1;
  while (lengths.length < elements) {
    const byte = content[offset++];
    if (byte === undefined || scale > 2 ** 28) return undefined;
    length += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte >= 0x80) continue;
    lengths.push(length);
    length = 0;
    scale = 1;
  }
  const total = lengths.reduce((sum, each) => sum + each, offset);
  if (total !== content.byteLength) return undefined;
  return lengths.map((each) => {
    const bytes = content.subarray(offset, offset + each);
    offset += each;
    return toTextOrBytes(bytes);
  });
}

function readList(
  { name, shape, elements }: Head,
  datatype: TensorDatatype,
  proto: TensorProto,
): ReadTensor {
  const [list, listName] = LIST_OF[datatype];
  if (datatype === "BYTES") {
    const texts = proto.stringVal.map(toTextOrBytes);
    const last = texts.at(-1) ?? "";
    const data = Array.from({ length: elements }, (_, index) => texts[index] ?? last);
    return { tensor: { name, datatype, shape, data } };
  }
  const values: readonly (number | bigint | boolean)[] = proto[list] as never;
  const data = createTensorData(datatype, elements);
  data.set(values as never);
  // Small whole numbers and half floats travel as larger numbers; those that do not fit come out changed.
  const isNarrowed = list === "intVal" || list === "halfVal";
  const misfit = isNarrowed ? values.findIndex((value, index) => data[index] !== value) : -1;
  if (misfit !== -1) {
    return { problem: `has in ${listName} an element that is no ${datatype}: number ${misfit}` };
  }
  const last = values.length > 0 ? data[values.length - 1] : undefined;
  if (last !== undefined) data.fill(last as never, values.length);
  return { tensor: { name, datatype, shape, data } as Tensor };
}
