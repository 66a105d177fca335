/** One tensor as a model's metadata describes it; -1 in `shape` is any size. */
export interface TensorDescription {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

/** A tensor to send: elements row by row. */
export interface SampleTensor extends TensorDescription {
  readonly data: readonly (number | boolean | string)[];
}

const SENTENCES = [
  "The battery lasts all day.",
  "What a bore, I left early.",
  "Größe passt, 材質很好。",
] as const;

const ITEM_BYTES: Readonly<Record<string, number>> = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
};

/** Whether the protocol has this datatype. */
export function isDatatype(name: unknown): boolean {
  return typeof name === "string" && (name === "BYTES" || Object.hasOwn(ITEM_BYTES, name));
}

/** Bytes of one element; undefined for BYTES. */
export function itemBytesOf(datatype: string): number | undefined {
  return ITEM_BYTES[datatype];
}

/**
 * A tensor that a model with this input can be expected to take: sentences for BYTES, ones for whole numbers, halves
 * for floats. The first open size becomes `rows`, others 1.
 */
export function makeSample(description: TensorDescription, rows: number): SampleTensor {
  const { name, datatype } = description;
  const shape = description.shape.map((size, axis) => {
    if (size >= 0) return size;
    return axis === 0 ? rows : 1;
  });
  const data = Array.from({ length: countElements(shape) }, (_, place) =>
    makeElement(datatype, place),
  );
  return { name, datatype, shape, data };
}

function makeElement(datatype: string, place: number): number | boolean | string {
  if (datatype === "BYTES") return SENTENCES[place % SENTENCES.length] ?? "";
  if (datatype === "BOOL") return true;
  return datatype.includes("INT") ? 1 : 0.5;
}

export function countElements(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

/** `[1,2,3,4]` with shape [2, 2] becomes `[[1,2],[3,4]]`. */
export function nestData(data: readonly unknown[], shape: readonly number[]): unknown {
  const [size, ...rest] = shape;
  if (size === undefined) return data[0];
  const step = data.length / size;
  return Array.from({ length: size }, (_, row) =>
    nestData(data.slice(row * step, (row + 1) * step), rest),
  );
}

/** The tensor's bytes in the binary extension: little-endian; BYTES with four bytes of length before each. */
export function toBytes({ datatype, data }: SampleTensor): Buffer {
  if (datatype === "BYTES") {
    return Buffer.concat(
      data.flatMap((element) => {
        const text = Buffer.from(String(element));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        return [length, text];
      }),
    );
  }
  const size = ITEM_BYTES[datatype] ?? 1;
  const bytes = Buffer.alloc(size * data.length);
  data.forEach((element, place) => {
    writeElement(bytes, datatype, Number(element), place * size);
  });
  return bytes;
}

/** Samples hold nothing but 1 and 0.5, so that half floats need no general conversion. */
function writeElement(bytes: Buffer, datatype: string, value: number, at: number): void {
  if (datatype === "FP64") bytes.writeDoubleLE(value, at);
  else if (datatype === "FP32") bytes.writeFloatLE(value, at);
  else if (datatype === "FP16") bytes.writeUInt16LE(value === 1 ? 0x3c00 : 0x3800, at);
  else if (datatype === "BF16") bytes.writeUInt16LE(value === 1 ? 0x3f80 : 0x3f00, at);
  else bytes.writeUIntLE(value, at, Math.min(ITEM_BYTES[datatype] ?? 1, 6));
}

/**
 * Elements of a tensor that came as bytes, for the datatypes that clients meet most; undefined for the others and when
 * the bytes do not add up.
 */
export function readElements(
  datatype: string,
  bytes: Buffer,
): readonly (number | string)[] | undefined {
  if (datatype === "BYTES") return readTexts(bytes);
  const size = ITEM_BYTES[datatype];
  if (size === undefined || bytes.length % size !== 0) return undefined;
  const places = Array.from({ length: bytes.length / size }, (_, place) => place * size);
  if (datatype === "FP32") return places.map((at) => bytes.readFloatLE(at));
  if (datatype === "FP64") return places.map((at) => bytes.readDoubleLE(at));
  if (datatype === "INT64") return places.map((at) => Number(bytes.readBigInt64LE(at)));
  if (datatype === "INT32") return places.map((at) => bytes.readInt32LE(at));
  return undefined;
}

function readTexts(bytes: Buffer): string[] | undefined {
  const texts: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return undefined;
    texts.push(bytes.toString("utf8", at + 4, end));
    at = end;
  }
  return texts;
}
