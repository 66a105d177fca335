import { isAbsolute, posix, win32 } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { TensorProto } from "../../generated/onnx_pb.ts";
import { countTensorBytes } from "./tensor-data.ts";

/** Where the elements of a tensor are: bytes `offset` … `offset + length - 1` of a file. */
export interface ExternalPlace {
  /** Below the folder of the model file, with `/` between folders. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Reads the fields of a tensor that say where its elements are.
 * Format: https://onnx.ai/onnx/repo-docs/ExternalData.html.
 *
 * @throws SluiceError `invalid_argument` when they do not fit the tensor, or point out of the model's folder.
 */
export function parseExternalPlace(tensor: TensorProto): ExternalPlace {
  const fields = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const expected = countTensorBytes(tensor);
  const offset = parseSize(tensor, "offset", fields.get("offset") ?? "0");
  const length = parseSize(tensor, "length", fields.get("length") ?? String(expected));
  if (length !== expected) {
    throw createError(tensor, `${expected} bytes by type and dimensions, but ${length} are stated`);
  }
  return { location: parseLocation(tensor, fields.get("location")), offset, length };
}

function parseSize(tensor: TensorProto, field: string, text: string): number {
  const size = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(size)) return size;
  throw createError(tensor, `the ${field} ${JSON.stringify(text)}, which is no number of bytes`);
}

/** A model from elsewhere must not be able to make us read files that are none of its own. */
function parseLocation(tensor: TensorProto, location = ""): string {
  const isInside =
    location !== "" &&
    !isAbsolute(location) &&
    !posix.isAbsolute(location) &&
    !win32.isAbsolute(location) &&
    !/[\\:\0]/.test(location) &&
    posix
      .normalize(location)
      .split("/")
      .every((part) => part !== ".." && part !== ".");
  if (isInside) return posix.normalize(location);
  throw createError(
    tensor,
    `its elements in ${JSON.stringify(location)}, which is no path below the model's folder`,
  );
}

function createError(tensor: TensorProto, problem: string): SluiceError {
  return new SluiceError("invalid_argument", `The tensor "${tensor.name}" has ${problem}.`);
}

/** Offsets are multiples of this, so that runtimes can map the file into memory. */
export const PAGE_BYTES = 4096;

/** Where each of several tensors begins in one file, in order, given the number of bytes of each. */
export function planOffsets(lengths: readonly number[]): number[] {
  let end = 0;
  return lengths.map((length) => {
    // Division, not bit operations, which would cut sizes to 32 bits.
    const offset = Math.ceil(end / PAGE_BYTES) * PAGE_BYTES;
    end = offset + length;
    return offset;
  });
}
