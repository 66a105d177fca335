import { SluiceError } from "../../core/errors.ts";
import type { TensorProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataLocation, TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { toDataType, toDataTypeName } from "./data-types.ts";
import { decodeBfloat16, decodeFloat16 } from "./half-floats.ts";

/**
 * Gives the bytes of a tensor, little-endian and row-major, in pieces of whole elements. A piece is valid until the next
 * one is asked for.
 */
export type ChunkReader = (tensor: TensorProto) => AsyncIterable<Uint8Array>;

/** Whether the elements are in another file than the model's. */
export function isExternal(tensor: TensorProto): boolean {
  return tensor.dataLocation === TensorProto_DataLocation.EXTERNAL;
}

/** @throws SluiceError `invalid_argument` when the dimensions are none. */
export function countElements(tensor: TensorProto): number {
  const count = tensor.dims.reduce((product, size) => product * Number(size), 1);
  if (tensor.dims.every((size) => size >= 0n) && Number.isSafeInteger(count)) return count;
  throw new SluiceError(
    "invalid_argument",
    `The tensor "${tensor.name}" cannot be [${tensor.dims.join(", ")}].`,
  );
}

/**
 * How many bytes the elements take, as type and dimensions say; for strings, as they are.
 *
 * @throws SluiceError `invalid_argument` when type or dimensions are none.
 */
export function countTensorBytes(tensor: TensorProto): number {
  const count = countElements(tensor);
  const type = toDataType(tensor.dataType);
  if (type === undefined) {
    throw new SluiceError(
      "invalid_argument",
      `The tensor "${tensor.name}" has the unknown ${toDataTypeName(tensor.dataType)}.`,
    );
  }
  if (type.bits === undefined) {
    return tensor.stringData.reduce((sum, { length }) => sum + length, 0);
  }
  return Math.ceil((count * type.bits) / 8);
}

/** A reader for tensors that hold their elements themselves: one piece each, a view of the tensor where possible. */
export async function* readEmbeddedChunks(tensor: TensorProto): AsyncIterable<Uint8Array> {
  if (isExternal(tensor)) {
    throw new SluiceError(
      "invalid_argument",
      `The elements of "${tensor.name}" are in another file; read the model with readModelFile.`,
    );
  }
  yield toEmbeddedBytes(tensor);
}

/** The elements of a tensor as raw bytes, wherever in the tensor they are kept. */
export function toEmbeddedBytes(tensor: TensorProto): Uint8Array {
  if (tensor.rawData.length > 0) return tensor.rawData;
  const { FLOAT, COMPLEX64, DOUBLE, COMPLEX128, INT64, UINT32, UINT64, STRING } =
    TensorProto_DataType;
  switch (tensor.dataType) {
    case FLOAT:
    case COMPLEX64:
      return toBytes(Float32Array.from(tensor.floatData));
    case DOUBLE:
    case COMPLEX128:
      return toBytes(Float64Array.from(tensor.doubleData));
    case INT64:
      return toBytes(BigInt64Array.from(tensor.int64Data));
    case UINT64:
      return toBytes(BigUint64Array.from(tensor.uint64Data));
    case UINT32:
      return toBytes(Uint32Array.from(tensor.uint64Data, Number));
    case STRING:
      throw new SluiceError("invalid_argument", `The tensor "${tensor.name}" holds strings.`);
    default:
      return fromInt32Data(tensor);
  }
}

/** Everything narrower than 32 bits is stored in this list too, one element (or packed byte) per entry. */
function fromInt32Data({ dataType, int32Data }: TensorProto): Uint8Array {
  const bits = toDataType(dataType)?.bits ?? 32;
  if (bits > 16) return toBytes(Int32Array.from(int32Data));
  return toBytes(bits > 8 ? Uint16Array.from(int32Data) : Uint8Array.from(int32Data));
}

function toBytes(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** All bytes of a tensor in one array, which may be a view of the tensor's own. */
export async function readBytes(
  tensor: TensorProto,
  readChunks: ChunkReader = readEmbeddedChunks,
): Promise<Uint8Array> {
  if (holdsElements(tensor)) return toEmbeddedBytes(tensor);
  const bytes = new Uint8Array(countTensorBytes(tensor));
  let offset = 0;
  for await (const chunk of readChunks(tensor)) {
    assertLength(tensor, offset + chunk.length, (length) => length <= bytes.length);
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  assertLength(tensor, offset, (length) => length === bytes.length);
  return bytes;
}

/** Whether the elements are in the tensor itself. */
export function holdsElements(tensor: TensorProto): boolean {
  const { rawData, floatData, int32Data, int64Data, doubleData, uint64Data, stringData } = tensor;
  const places = [rawData, floatData, int32Data, int64Data, doubleData, uint64Data, stringData];
  return !isExternal(tensor) && places.some(({ length }) => length > 0);
}

function assertLength(tensor: TensorProto, found: number, fits: (length: number) => boolean): void {
  if (fits(found)) return;
  throw new SluiceError(
    "invalid_argument",
    `The tensor "${tensor.name}" must have ${countTensorBytes(tensor)} bytes; found ${found}.`,
  );
}

/**
 * The elements of a tensor of any float type, which may be a view of the tensor's own.
 *
 * @throws SluiceError `invalid_argument` for tensors of other types.
 */
export async function readFloats(
  tensor: TensorProto,
  readChunks: ChunkReader = readEmbeddedChunks,
): Promise<Float32Array> {
  const bytes = await readBytes(tensor, readChunks);
  switch (tensor.dataType) {
    case TensorProto_DataType.FLOAT:
      return new Float32Array(...toView(bytes, 4));
    case TensorProto_DataType.FLOAT16:
      return decodeFloat16(new Uint16Array(...toView(bytes, 2)));
    case TensorProto_DataType.BFLOAT16:
      return decodeBfloat16(new Uint16Array(...toView(bytes, 2)));
    case TensorProto_DataType.DOUBLE:
      return Float32Array.from(new Float64Array(...toView(bytes, 8)));
    default:
      throw new SluiceError(
        "invalid_argument",
        `The tensor "${tensor.name}" must be of floats; found ${toDataTypeName(tensor.dataType)}.`,
      );
  }
}

/** What a typed array over `bytes` needs: the same memory if its start allows it, otherwise a copy. */
export function toView(bytes: Uint8Array, elementBytes: number): [ArrayBufferLike, number, number] {
  const isAligned = bytes.byteOffset % elementBytes === 0;
  // Not slice: Node's Buffer calls a view so.
  const { buffer, byteOffset } = isAligned ? bytes : new Uint8Array(bytes);
  return [buffer, byteOffset, Math.floor(bytes.length / elementBytes)];
}
