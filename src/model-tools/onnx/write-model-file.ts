import type { FileHandle } from "node:fs/promises";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import type { ModelProto, StringStringEntryProto, TensorProto } from "../../generated/onnx_pb.ts";
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../generated/onnx_pb.ts";
import { planOffsets } from "./external-data.ts";
import { listTensors } from "./list-tensors.ts";
import { replaceTensors } from "./replace-tensors.ts";
import type { ChunkReader } from "./tensor-data.ts";
import { countTensorBytes, holdsElements, readBytes, readEmbeddedChunks } from "./tensor-data.ts";

/** How a model is to be written. */
export interface WriteModelOptions {
  /**
   * Reads the model's tensors. Default: they hold their elements themselves. It need not: a reader that makes up the
   * elements of some tensors, given as empty ones, can write models that never fit into memory.
   */
  readonly readChunks?: ChunkReader;
  /** Whether weights go to a second file. Default: `when-needed`, which is above 2 GB, where one file is impossible. */
  readonly externalData?: "when-needed" | "always" | "never";
}

/** A file that was written. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/** Tensors below this stay in the model file: shape inference reads some of them. */
const LEAST_EXTERNAL_BYTES = 1024;

/** Leaves room for the nodes below the limit of 2 GiB. */
const MAX_EMBEDDED_BYTES = 2_000_000_000;

/**
 * Writes a model, and beside it `<path>.data` when weights go to a second file. Both are written under other names and
 * then renamed, so a failure leaves what was there before, and a model may be written over the one it is read from.
 *
 * @param model is not changed.
 * @returns the files, the model's first.
 * @throws SluiceError `invalid_argument` when a reader gives too few or too many bytes, or `never` is impossible.
 */
export async function writeModelFile(
  path: string,
  model: ModelProto,
  options: WriteModelOptions = {},
): Promise<readonly WrittenFile[]> {
  const { readChunks = readEmbeddedChunks, externalData = "when-needed" } = options;
  const { graph } = model;
  if (graph === undefined) throw new SluiceError("invalid_argument", "The model holds no graph.");
  const weights = graph.initializer.filter(isLarge);
  const total = weights.reduce((sum, tensor) => sum + countTensorBytes(tensor), 0);
  const moves =
    externalData === "always" || (externalData === "when-needed" && total > MAX_EMBEDDED_BYTES);
  const plan = moves ? planDataFile(`${path}.data`, weights) : [];
  const replacements = new Map(plan.map(({ tensor, reference }) => [tensor, reference]));
  for (const tensor of listTensors(graph)) {
    if (replacements.has(tensor) || holdsElements(tensor) || countTensorBytes(tensor) === 0)
      continue;
    const rawData = await readBytes(tensor, readChunks);
    replacements.set(tensor, Object.assign(toHeader(tensor), { rawData }));
  }
  const bytes = toBinary(ModelProtoSchema, replaceTensors(model, replacements));
  return await writeFiles(path, bytes, plan, readChunks);
}

function isLarge(tensor: TensorProto): boolean {
  return (
    tensor.dataType !== TensorProto_DataType.STRING &&
    countTensorBytes(tensor) >= LEAST_EXTERNAL_BYTES
  );
}

interface PlannedTensor {
  readonly tensor: TensorProto;
  /** What takes the tensor's place in the model file. */
  readonly reference: TensorProto;
  readonly offset: number;
  readonly length: number;
}

function planDataFile(dataPath: string, tensors: readonly TensorProto[]): PlannedTensor[] {
  const lengths = tensors.map(countTensorBytes);
  const offsets = planOffsets(lengths);
  return tensors.map((tensor, i) => {
    const [offset = 0, length = 0] = [offsets[i], lengths[i]];
    const reference = Object.assign(toHeader(tensor), {
      dataLocation: TensorProto_DataLocation.EXTERNAL,
      externalData: [
        createEntry("location", basename(dataPath)),
        createEntry("offset", String(offset)),
        createEntry("length", String(length)),
      ],
    });
    return { tensor, reference, offset, length };
  });
}

function createEntry(key: string, value: string): StringStringEntryProto {
  return create(StringStringEntryProtoSchema, { key, value });
}

/** The tensor without its elements. */
function toHeader(tensor: TensorProto): TensorProto {
  const { name, dims, dataType, docString, $unknown } = tensor;
  const header = create(TensorProtoSchema, { name, dims, dataType });
  if (docString !== "") header.docString = docString;
  if ($unknown !== undefined) header.$unknown = $unknown;
  return header;
}

async function writeFiles(
  path: string,
  model: Uint8Array,
  plan: readonly PlannedTensor[],
  readChunks: ChunkReader,
): Promise<WrittenFile[]> {
  const dataPath = `${path}.data`;
  const drafts = { model: `${path}.writing`, data: `${dataPath}.writing` };
  try {
    const dataBytes = plan.length === 0 ? 0 : await writeData(drafts.data, plan, readChunks);
    await writeFile(drafts.model, model);
    if (plan.length > 0) await rename(drafts.data, dataPath);
    await rename(drafts.model, path);
    const written = [{ path, bytes: model.length }];
    return plan.length === 0 ? written : [...written, { path: dataPath, bytes: dataBytes }];
  } finally {
    await Promise.all([rm(drafts.data, { force: true }), rm(drafts.model, { force: true })]);
  }
}

async function writeData(
  path: string,
  plan: readonly PlannedTensor[],
  readChunks: ChunkReader,
): Promise<number> {
  const file = await open(path, "w");
  let end = 0;
  try {
    for (const { tensor, offset, length } of plan) {
      end = offset;
      for await (const chunk of readChunks(tensor)) {
        await writeChunk(file, chunk, end);
        end += chunk.length;
      }
      if (end - offset !== length) {
        throw new SluiceError(
          "invalid_argument",
          `The tensor "${tensor.name}" must have ${length} bytes; ${end - offset} were read.`,
        );
      }
    }
  } finally {
    await file.close();
  }
  return end;
}

/** A write may take less than it was given. */
async function writeChunk(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < chunk.length; ) {
    const { bytesWritten } = await file.write(
      chunk,
      written,
      chunk.length - written,
      position + written,
    );
    written += bytesWritten;
  }
}
