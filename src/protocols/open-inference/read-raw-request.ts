import type { Tensor, TensorSignature, TensorSpec } from "../../core/ports/tensor.ts";
import { invalidField } from "../invalid-field.ts";
import { elementSize, toTextOrBytes } from "../tensor-bytes.ts";
import { readRawTensor } from "./raw-tensor.ts";

/**
 * Reads a raw request, whose body is nothing but the elements of the model's one input.
 *
 * The input's shape follows from the model's. An open size that is the only one is what the bytes make it. Of two,
 * where the first one is open, that is the batch, and it is 1. An input of BYTES is a single element, without the length
 * in front of it.
 *
 * @throws SluiceError `invalid_argument` when the model has more inputs or open sizes, or the bytes are no such tensor
 */
export function readRawRequest(body: Uint8Array, { inputs }: TensorSignature): Tensor {
  const needed = inputs.filter(({ isOptional }) => !isOptional);
  const [spec] = needed;
  if (spec === undefined || needed.length > 1) {
    throw refuse(`needs a model with one input; this one has ${inputs.length}`);
  }
  const { name, datatype } = spec;
  if (datatype === "BYTES") {
    return { name, datatype, shape: toSingleShape(spec), data: [toTextOrBytes(body)] };
  }
  const read = readRawTensor({ name, datatype, shape: toRawShape(spec, body.byteLength) }, body);
  if ("tensor" in read) return read.tensor;
  throw refuse(read.problem);
}

function refuse(problem: string): Error {
  return invalidField("body", `as raw input ${problem}; otherwise send the input with JSON`);
}

function toSingleShape({ shape }: TensorSpec): readonly number[] {
  const sizes = shape?.map((size) => size ?? 1) ?? [1];
  if (sizes.every((size) => size === 1)) return sizes;
  throw refuse("is a single text, and this model reads several");
}

function toRawShape({ datatype, shape }: TensorSpec, bytes: number): readonly number[] {
  if (shape === undefined || datatype === "BYTES") throw refuse("needs a model that states sizes");
  const open = shape.flatMap((size, axis) => (size === null ? [axis] : []));
  const [first, second] = open;
  if (first === undefined) return shape.map((size) => size ?? 1);
  const isBatch = first === 0 && open.length === 2;
  if (open.length > 1 && !isBatch) {
    throw refuse(`may leave one size open beside the batch; this model leaves ${open.length}`);
  }
  const inferred = isBatch ? second : first;
  const fixed = shape.reduce<number>((product, size) => product * (size ?? 1), 1);
  const size = fixed === 0 ? 0 : bytes / (fixed * elementSize(datatype));
  if (!Number.isInteger(size)) {
    throw refuse(`has ${bytes} bytes, no multiple of ${fixed * elementSize(datatype)}`);
  }
  return shape.map((known, axis) => known ?? (axis === inferred ? size : 1));
}
