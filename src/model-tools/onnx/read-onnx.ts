import { fromBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import type { ModelProto } from "../../generated/onnx_pb.ts";
import { ModelProtoSchema } from "../../generated/onnx_pb.ts";

/**
 * Reads a model file. Fields that `proto/onnx.proto` does not declare are kept and written again.
 * Weights are views of `bytes`, not copies.
 *
 * @param title what errors call the file, e.g. its path.
 * @throws SluiceError `invalid_argument` when the bytes are not an ONNX model with a graph; the message says whether
 * they are none of it, too few, or a pointer that was left in the place of the file.
 */
export function readOnnx(bytes: Uint8Array, title = "The file"): ModelProto {
  // A file comes as Node's Buffer, whose slices are views; whoever copies weights relies on getting copies.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, plain);
  } catch (cause) {
    throw new SluiceError("invalid_argument", `${title} ${describeUnreadable(bytes)}`, { cause });
  }
  if (bytes.length === 0) {
    throw new SluiceError("invalid_argument", `${title} is empty; copy or download it again.`);
  }
  if (model.graph === undefined) {
    throw new SluiceError("invalid_argument", `${title} holds no graph.`);
  }
  return model;
}

function describeUnreadable(bytes: Uint8Array): string {
  const start = new TextDecoder().decode(bytes.subarray(0, 40));
  if (start.startsWith("version https://git-lfs")) {
    return "is a pointer of Git LFS, not the model itself; fetch it with `git lfs pull`.";
  }
  const missing = countMissingBytes(bytes);
  if (missing === undefined) return "is not an ONNX model.";
  return (
    `ends after ${bytes.length} bytes, in the middle of the model: at least ${missing} are missing. ` +
    "Copy or download it again."
  );
}

/** Numbers of the fields that a model may have. */
const MODEL_FIELDS = new Set([1, 2, 3, 4, 5, 6, 7, 8, 14, 20, 25, 26]);

/**
 * Walks over the outermost fields of a model.
 * Format: https://protobuf.dev/programming-guides/encoding/.
 *
 * @returns how many bytes the last field lacks; undefined when the bytes are no such fields, or nothing is missing.
 */
function countMissingBytes(bytes: Uint8Array): number | undefined {
  let at = 0;
  const readVarint = (): number | undefined => {
    let value = 0;
    for (let factor = 1; factor < 2 ** 63; factor *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = readVarint() ?? 0;
    const wireType = tag % 8;
    if (!MODEL_FIELDS.has(Math.floor(tag / 8)) || (wireType !== 0 && wireType !== 2)) {
      return undefined;
    }
    const value = readVarint();
    if (value === undefined) return 1;
    if (wireType === 2) at += value;
  }
  return at > bytes.length ? at - bytes.length : undefined;
}
