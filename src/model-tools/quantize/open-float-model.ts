import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { SluiceError } from "../../core/errors.ts";
import { ModelProtoSchema, TensorProto_DataLocation } from "../../generated/onnx_pb.ts";
import { listTensors } from "../onnx/list-tensors.ts";
import { readModelFile } from "../onnx/read-model-file.ts";
import { countTensorBytes, isExternal, readBytes } from "../onnx/tensor-data.ts";

/** A float model on disk, with what its folder says about it. */
export interface FloatModel {
  /** The folder of the model file. */
  readonly folder: string;
  /** True when the caller named the folder, so that everything in it belongs to the model. */
  readonly isPackage: boolean;
  /** The ONNX model with all weights inside, wherever they are on disk. */
  readonly bytes: Uint8Array;
  readonly tokenizerPath: string;
  /** Parsed `tokenizer.json`. */
  readonly tokenizer: unknown;
  /** By index; empty when the configuration names none. */
  readonly labels: readonly string[];
  readonly isMultiLabel: boolean;
  readonly padId: number;
  /** Longest text that the model reads, in ids. */
  readonly maxTokens: number;
}

/** Where the model may be in a folder, first found first taken. */
const MODEL_PATHS = ["model.onnx", "onnx/model.onnx"] as const;

const DEFAULT_MAX_TOKENS = 512;
/** What a single protobuf message can be at most. */
const MAX_MODEL_BYTES = 2 ** 31 - 1;

/**
 * Opens a folder in the form of Hugging Face (`config.json`, `tokenizer.json`, `model.onnx`), or a model file alone.
 *
 * @param path of the folder or of the file.
 * @param tokenizerPath of a `tokenizer.json`; default: beside the model.
 * @throws SluiceError `not_found` when a file is missing; `invalid_argument` when one cannot be read, or model and
 * weights are above 2 GB.
 */
export async function openFloatModel(path: string, tokenizerPath?: string): Promise<FloatModel> {
  const isPackage = await isFolder(path);
  const modelPath = isPackage ? await findModel(path) : path;
  const folder = isPackage ? resolve(path) : dirname(resolve(path));
  const bytes = await readWholeModel(modelPath);
  const config = await readRecord(join(folder, "config.json"));
  const tokenizerConfig = await readRecord(join(folder, "tokenizer_config.json"));
  const tokenizerFile = tokenizerPath ?? join(folder, "tokenizer.json");
  return {
    folder,
    isPackage,
    bytes,
    tokenizerPath: tokenizerFile,
    tokenizer: parseJson(await readRequired(tokenizerFile), tokenizerFile),
    labels: readLabels(config),
    isMultiLabel: config["problem_type"] === "multi_label_classification",
    padId: readWhole(config["pad_token_id"]) ?? 0,
    maxTokens: readMaxTokens(config, tokenizerConfig),
  };
}

async function findModel(folder: string): Promise<string> {
  for (const name of MODEL_PATHS) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  throw new SluiceError(
    "not_found",
    `There is no model.onnx in ${basename(folder)}. Export the model first, e.g. with \`sluice export\`.`,
  );
}

/** The model as one file in memory, weights of other files inside. */
async function readWholeModel(path: string): Promise<Uint8Array> {
  const file = await readModelFile(path);
  try {
    const tensors = file.model.graph === undefined ? [] : listTensors(file.model.graph);
    const external = tensors.filter(isExternal);
    const bytes = external.reduce((sum, tensor) => sum + countTensorBytes(tensor), file.bytes);
    if (bytes > MAX_MODEL_BYTES) {
      throw new SluiceError(
        "invalid_argument",
        "Models above 2 GB cannot be quantized here: ONNX Runtime takes them from files only.",
      );
    }
    for (const tensor of external) {
      tensor.rawData = await readBytes(tensor, file.readChunks);
      tensor.externalData = [];
      tensor.dataLocation = TensorProto_DataLocation.DEFAULT;
    }
    return toBinary(ModelProtoSchema, file.model);
  } finally {
    await file.close();
  }
}

/** `id2label` as a list. Names that only number the labels (`LABEL_0`) are no names. */
function readLabels(config: Readonly<Record<string, unknown>>): string[] {
  const names = config["id2label"];
  if (typeof names !== "object" || names === null) return [];
  const labels = Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name));
  return labels.every((label, i) => label === `LABEL_${i}`) ? [] : labels;
}

/** RoBERTa counts positions from pad_token_id + 1, so not all of them are for tokens; `model_max_length` knows better. */
function readMaxTokens(
  config: Readonly<Record<string, unknown>>,
  tokenizerConfig: Readonly<Record<string, unknown>>,
): number {
  const known = [config["max_position_embeddings"], tokenizerConfig["model_max_length"]]
    .map(readWhole)
    .filter((size) => size !== undefined && size > 2);
  return Math.min(DEFAULT_MAX_TOKENS, ...known.map(Number));
}

function readWhole(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : undefined;
}

/** An empty record when the file is not there. */
async function readRecord(path: string): Promise<Readonly<Record<string, unknown>>> {
  if (!(await exists(path))) return {};
  const value = parseJson(await readRequired(path), path);
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function parseJson(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new SluiceError("invalid_argument", `${basename(path)} is not valid JSON.`, { cause });
  }
}

async function readRequired(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new SluiceError("not_found", `Cannot read ${path}.`, { cause });
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
