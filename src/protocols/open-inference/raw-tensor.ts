import type { Tensor } from "../../core/ports/tensor.ts";
import { TENSOR_DATATYPES } from "../../core/ports/tensor.ts";
import { countElements, isTensorDatatype } from "../../core/tensors/tensor-data.ts";
import { invalidField, toInputField } from "../invalid-field.ts";
import { elementSize, toBytes, toTensorData, toTextOrBytes } from "../tensor-bytes.ts";

/**
 * Tensors as bytes: `raw_input_contents` and `raw_output_contents` in gRPC, and the binary tensor extension over HTTP.
 *
 * Elements are little-endian and row-major, a BOOL is one byte, and each element of BYTES is its length in four bytes
 * and then its bytes. Source: https://github.com/kserve/open-inference-protocol, "Raw Tensor Contents", and
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
export interface RawTensorHead {
  readonly name: string;
  /** As the caller wrote it. */
  readonly datatype: string;
  /** As the caller wrote it: any numbers. */
  readonly shape: readonly number[];
}

/** A tensor, or what is wrong with it. */
export type ReadTensor = { readonly tensor: Tensor } | { readonly problem: string };

/** Bytes of the length in front of each element of BYTES. */
const LENGTH_BYTES = 4;

/**
 * Reads one tensor. Its data is a view of `bytes` where that is possible.
 *
 * @throws SluiceError `invalid_argument`, with the field `inputs.<name>`
 */
export function decodeRawTensor(head: RawTensorHead, bytes: Uint8Array): Tensor {
  const read = readRawTensor(head, bytes);
  if ("tensor" in read) return read.tensor;
  throw invalidField(toInputField(head.name), read.problem);
}

/** The same for callers who say themselves what a wrong tensor means. */
export function readRawTensor(head: RawTensorHead, bytes: Uint8Array): ReadTensor {
  const { name, datatype, shape } = head;
  const elements = countElements(shape);
  if (elements === undefined) return { problem: describeWrongShape(shape) };
  if (!isTensorDatatype(datatype)) return { problem: describeWrongDatatype(datatype) };
  if (datatype === "BYTES") return readBytes(name, shape, elements, bytes);
  const expected = elements * elementSize(datatype);
  if (bytes.byteLength !== expected) {
    const problem = `has ${bytes.byteLength} bytes of raw data; ${datatype} [${shape.join(", ")}] takes ${expected}`;
    return { problem };
  }
  const data = toTensorData(datatype, bytes);
  if (datatype === "BOOL" && data.some((value) => Number(value) > 1)) {
    return { problem: "holds a byte that is neither 0 nor 1, which BOOL is made of" };
  }
  // Made for this datatype, which the compiler does not follow through a union.
  return { tensor: { name, datatype, shape, data } as Tensor };
}

/** The bytes of one tensor: a view, except for BYTES. */
export function encodeRawTensor(tensor: Tensor): Uint8Array {
  return tensor.datatype === "BYTES" ? encodeBytes(tensor.data) : toBytes(tensor.data);
}

/** What to say about a shape that is none. */
export function describeWrongShape(shape: readonly number[]): string {
  const shown = `[${shape.slice(0, 8).join(", ")}${shape.length > 8 ? ", …" : ""}]`;
  return `has the shape ${shown}, which no tensor has: at most 32 sizes, whole numbers from 0, below 2^31 elements`;
}

/** What to say about a name that is no datatype of ours. */
export function describeWrongDatatype(datatype: string): string {
  const known = TENSOR_DATATYPES.join(", ");
  if (datatype === "BF16") return `is BF16, which is not supported; send FP32 or one of ${known}`;
  return `has an unknown datatype; known are ${known}`;
}

function readBytes(
  name: string,
  shape: readonly number[],
  elements: number,
  bytes: Uint8Array,
): ReadTensor {
  // Before anything is allocated: a short body can state a huge shape.
  if (bytes.byteLength < elements * LENGTH_BYTES) {
    const problem = `has ${bytes.byteLength} bytes of raw data; BYTES [${shape.join(", ")}] takes at least ${elements * LENGTH_BYTES}`;
    return { problem };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data: (string | Uint8Array)[] = [];
  let offset = 0;
  while (data.length < elements) {
    const start = offset + LENGTH_BYTES;
    const end = start <= bytes.byteLength ? start + view.getUint32(offset, true) : Infinity;
    if (end > bytes.byteLength) {
      return { problem: `ends within element ${data.length} of ${elements}` };
    }
    data.push(toTextOrBytes(bytes.subarray(start, end)));
    offset = end;
  }
  if (offset < bytes.byteLength) {
    const rest = bytes.byteLength - offset;
    return { problem: `has ${rest} bytes of raw data after its ${elements} elements` };
  }
  return { tensor: { name, datatype: "BYTES", shape, data } };
}

function encodeBytes(data: readonly (string | Uint8Array)[]): Uint8Array {
  let size = 0;
  for (const element of data) size += LENGTH_BYTES + Buffer.byteLength(element);
  const bytes = new Uint8Array(size);
  const buffer = Buffer.from(bytes.buffer);
  let offset = 0;
  for (const element of data) {
    const start = offset + LENGTH_BYTES;
    offset = start;
    if (typeof element === "string") offset += buffer.write(element, start);
    else {
      bytes.set(element, start);
      offset += element.byteLength;
    }
    buffer.writeUInt32LE(offset - start, start - LENGTH_BYTES);
  }
  return bytes;
}
