import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { SluiceError } from "../../core/errors.ts";
import { isRecord } from "../../core/models/field-reader.ts";
import type { WeightTensor } from "../onnx/encoder-weights.ts";
import { decodeBfloat16, decodeFloat16 } from "../onnx/half-floats.ts";

/** Element types that are read, and how their bytes become float32. Others (ids, flags) are no weights. */
const DECODERS: Readonly<
  Record<string, { bytes: number; decode: (b: ArrayBuffer) => Float32Array }>
> = {
  F32: { bytes: 4, decode: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, decode: (buffer) => decodeFloat16(new Uint16Array(buffer)) },
  BF16: { bytes: 2, decode: (buffer) => decodeBfloat16(new Uint16Array(buffer)) },
};

/** The format's own limit. */
const MAX_HEADER_BYTES = 100_000_000;

/** Keeps single reads below what the system takes at once. */
const MAX_READ_BYTES = 2 ** 30;

/**
 * Reads the float tensors of a safetensors file as float32; those of other types are left out.
 * Format: https://huggingface.co/docs/safetensors/index#format. Eight bytes with the length of a JSON header, the header,
 * and the elements, little-endian and row-major.
 *
 * @param isWanted chooses by name what is loaded. Default: everything.
 * @throws SluiceError `not_found` when there is no such file; `invalid_argument` when it is no safetensors file, or a
 * tensor does not fit into it.
 */
export async function readSafetensors(
  path: string,
  isWanted: (name: string) => boolean = () => true,
): Promise<ReadonlyMap<string, WeightTensor>> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new SluiceError("not_found", `There is no file ${path}.`, { cause });
  });
  try {
    const { entries, start, end } = await readHeader(file, path);
    const tensors = new Map<string, WeightTensor>();
    for (const [name, entry] of entries) {
      const decoder = DECODERS[entry.dtype];
      if (decoder === undefined || !isWanted(name)) continue;
      const elements = entry.shape.reduce((product, size) => product * size, 1);
      const length = entry.end - entry.begin;
      if (length !== elements * decoder.bytes || start + entry.end > end) {
        throw createError(path, `its tensor ${name} does not fit; copy or download it again`);
      }
      const bytes = await readRange(file, start + entry.begin, length);
      tensors.set(name, { shape: entry.shape, values: decoder.decode(bytes) });
    }
    return tensors;
  } finally {
    await file.close();
  }
}

interface TensorEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** In bytes, from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

interface Header {
  readonly entries: readonly (readonly [string, TensorEntry])[];
  /** Where the elements begin and the file ends. */
  readonly start: number;
  readonly end: number;
}

async function readHeader(file: FileHandle, path: string): Promise<Header> {
  const { size } = await file.stat();
  if (size < 8) throw createError(path, `it is only ${size} bytes long`);
  const length = Number(new DataView(await readRange(file, 0, 8)).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES) throw createError(path, "it does not begin with a header");
  if (8 + length > size)
    throw createError(path, "it ends in its header; copy or download it again");
  let header: unknown;
  try {
    const text = new TextDecoder("utf-8", { fatal: true });
    header = JSON.parse(text.decode(await readRange(file, 8, length)));
  } catch (cause) {
    throw createError(path, "its header is not JSON", cause);
  }
  if (!isRecord(header)) throw createError(path, "its header is not a JSON object");
  const entries = Object.entries(header)
    .filter(([name]) => name !== "__metadata__")
    .map(([name, entry]) => [name, parseEntry(path, name, entry)] as const);
  return { entries, start: 8 + length, end: size };
}

function parseEntry(path: string, name: string, entry: unknown): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = isRecord(entry) ? entry : {};
  if (typeof dtype === "string" && isSizes(shape) && isSizes(offsets)) {
    const [begin = 0, end = -1] = offsets;
    if (offsets.length === 2 && begin <= end) return { dtype, shape, begin, end };
  }
  throw createError(path, `its header describes ${name} in no way that can be read`);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

async function readRange(file: FileHandle, position: number, length: number): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const wanted = Math.min(length - done, MAX_READ_BYTES);
    const { bytesRead } = await file.read(bytes, done, wanted, position + done);
    if (bytesRead === 0)
      throw new SluiceError("invalid_argument", "A file of weights became shorter.");
    done += bytesRead;
  }
  return bytes.buffer;
}

function createError(path: string, problem: string, cause?: unknown): SluiceError {
  const message = `${path} cannot be read as safetensors: ${problem}.`;
  return new SluiceError("invalid_argument", message, cause === undefined ? {} : { cause });
}
