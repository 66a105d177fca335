import type { TensorData, TensorDatatype } from "../core/ports/tensor.ts";

/** Datatypes whose elements all take the same number of bytes. */
export type FixedSizeDatatype = Exclude<TensorDatatype, "BYTES">;

const ARRAYS = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const satisfies Record<FixedSizeDatatype, unknown>;

/** Throws on bytes that are no UTF-8, and keeps a byte order mark: it is a part of the text. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** What decoders put where bytes are no UTF-8. A text may also hold it by itself. */
const REPLACEMENT = "\ufffd";

/** How many bytes an element takes. */
export function elementSize(datatype: FixedSizeDatatype): number {
  return ARRAYS[datatype].BYTES_PER_ELEMENT;
}

/**
 * Elements out of their bytes. Both the machine and the wire are little-endian, so this is a view, or a copy where the
 * bytes do not begin at a multiple of the element's size.
 *
 * @param bytes a whole number of elements
 */
export function toTensorData<Datatype extends FixedSizeDatatype>(
  datatype: Datatype,
  bytes: Uint8Array,
): TensorData[Datatype];
export function toTensorData(
  datatype: FixedSizeDatatype,
  bytes: Uint8Array,
): TensorData[FixedSizeDatatype] {
  const size = elementSize(datatype);
  const isAligned = bytes.byteOffset % size === 0;
  const { buffer, byteOffset } = isAligned ? bytes : new Uint8Array(bytes);
  // Memory shared or not: the types of some arrays do not say that they take both.
  return new ARRAYS[datatype](buffer as ArrayBuffer, byteOffset, bytes.byteLength / size);
}

/** The bytes of elements of a fixed size: a view. */
export function toBytes(data: TensorData[FixedSizeDatatype]): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** A text, or where the bytes are no UTF-8 the bytes themselves: a view that is a true `Uint8Array`. */
export function toTextOrBytes(bytes: Uint8Array): string | Uint8Array {
  const { buffer, byteOffset, byteLength } = bytes;
  // Several times as fast as a TextDecoder for short texts. It replaces what is no UTF-8, where the other one throws.
  const text = Buffer.from(buffer, byteOffset, byteLength).toString("utf8");
  if (!text.includes(REPLACEMENT)) return text;
  try {
    return UTF8.decode(bytes);
  } catch {
    return new Uint8Array(buffer, byteOffset, byteLength);
  }
}
