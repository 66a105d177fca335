import type { FileHandle } from "node:fs/promises";
import { open, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import type { ModelProto, TensorProto } from "../../generated/onnx_pb.ts";
import { parseExternalPlace } from "./external-data.ts";
import { readOnnx } from "./read-onnx.ts";
import type { ChunkReader } from "./tensor-data.ts";
import { isExternal, readEmbeddedChunks } from "./tensor-data.ts";

/** A model whose weights may be in other files, from which they are read when asked for. */
export interface ModelFile {
  readonly path: string;
  /** Weights in the model file itself are views of its bytes; those in other files are not loaded. */
  readonly model: ModelProto;
  /** Bytes of the model file. */
  readonly bytes: number;
  /** Reads tensors of `model`, in pieces of at most 16 MiB where they come from another file. */
  readonly readChunks: ChunkReader;
  /** Lets go of the other files; may be called twice. */
  close(): Promise<void>;
}

/** What a single protobuf message, and so a model without other files, can be at most. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/** A multiple of every element's size. */
const CHUNK_BYTES = 16 * 2 ** 20;

/**
 * Opens a model file.
 *
 * @throws SluiceError `not_found` when there is no such file; `invalid_argument` when it is not an ONNX model. Reading a
 * tensor throws `invalid_argument` when its file is missing, too short, or outside the model's folder.
 */
export async function readModelFile(path: string): Promise<ModelFile> {
  const bytes = await readWholeFile(path);
  const model = readOnnx(bytes, path);
  const files = new Map<string, Promise<FileHandle>>();
  const openFile = (location: string): Promise<FileHandle> => {
    const opened = files.get(location) ?? openWeights(path, location);
    files.set(location, opened);
    return opened;
  };
  return {
    path,
    model,
    bytes: bytes.length,
    readChunks: (tensor) =>
      isExternal(tensor) ? readExternalChunks(tensor, openFile) : readEmbeddedChunks(tensor),
    close: async () => {
      const opened = [...files.values()];
      files.clear();
      for (const file of await Promise.allSettled(opened)) {
        if (file.status === "fulfilled") await file.value.close();
      }
    },
  };
}

async function readWholeFile(path: string): Promise<Uint8Array> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw new SluiceError("not_found", `There is no file ${path}.`, { cause });
  });
  if (!stats.isFile()) throw new SluiceError("invalid_argument", `${path} is not a file.`);
  if (stats.size > MAX_MODEL_BYTES) {
    throw new SluiceError(
      "invalid_argument",
      `${path} is ${stats.size} bytes; an ONNX model of more than 2 GB keeps its weights in other files.`,
    );
  }
  return await readFile(path);
}

async function openWeights(modelPath: string, location: string): Promise<FileHandle> {
  const path = join(dirname(modelPath), location);
  try {
    const file = await open(path, "r");
    if ((await file.stat()).isFile()) return file;
    await file.close();
  } catch (cause) {
    throw new SluiceError(
      "invalid_argument",
      `The model keeps weights in ${location}, and that file cannot be opened. It belongs beside the model.`,
      { cause },
    );
  }
  throw new SluiceError("invalid_argument", `${location}, which holds weights, is not a file.`);
}

async function* readExternalChunks(
  tensor: TensorProto,
  openFile: (location: string) => Promise<FileHandle>,
): AsyncIterable<Uint8Array> {
  const { location, offset, length } = parseExternalPlace(tensor);
  const file = await openFile(location);
  const buffer = new Uint8Array(Math.min(length, CHUNK_BYTES));
  for (let done = 0; done < length; ) {
    const wanted = Math.min(length - done, buffer.length);
    // A read may give less than was asked for, but a piece must hold whole elements.
    for (let filled = 0; filled < wanted; ) {
      const { bytesRead } = await file.read(
        buffer,
        filled,
        wanted - filled,
        offset + done + filled,
      );
      if (bytesRead === 0) {
        throw new SluiceError(
          "invalid_argument",
          `${location} ends at byte ${offset + done + filled}, in the middle of "${tensor.name}". ` +
            "Copy or download it again.",
        );
      }
      filled += bytesRead;
    }
    yield buffer.subarray(0, wanted);
    done += wanted;
  }
}
