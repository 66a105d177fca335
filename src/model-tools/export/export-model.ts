import { copyFile, mkdir, readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { checkModel } from "../onnx/check-model.ts";
import type { EncoderConfig, EncoderHead } from "../onnx/encoder-config.ts";
import { buildEncoderModel } from "../onnx/encoder-graph.ts";
import type { WrittenFile } from "../onnx/write-model-file.ts";
import { writeModelFile } from "../onnx/write-model-file.ts";
import { listModuleFiles } from "./list-module-files.ts";
import { parseBertConfig } from "./parse-bert-config.ts";
import { readSafetensors } from "./read-safetensors.ts";

/** What an export did. */
export interface ExportResult {
  readonly config: EncoderConfig;
  readonly head: EncoderHead;
  /** The model, and its weights where they take a second file. */
  readonly written: readonly WrittenFile[];
  /** Files that were taken over as they are, relative to both folders. */
  readonly copied: readonly string[];
}

/** What says how texts become ids, vectors become one, and outputs become labels. */
const COMPANIONS = new Set([
  "README.md",
  "added_tokens.json",
  "config.json",
  "config_sentence_transformers.json",
  "modules.json",
  "sentence_bert_config.json",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.txt",
]);
const LICENCE = /^(?:licen[cs]e|notice)(?:\.(?:md|txt))?$/i;

/**
 * Makes an ONNX model of a folder that `save_pretrained` of transformers, or `save` of sentence-transformers, has
 * written: reads `config.json` and `model.safetensors`, writes `model.onnx`, and copies what else serving needs. The
 * same folder always gives the same files.
 *
 * @param output is made if need be.
 * @throws SluiceError `not_found` when a file is missing; `invalid_argument` when the model is of another family than
 * BERT, its weights do not fit its configuration, or some of them are not numbers.
 */
export async function exportModel(source: string, output: string): Promise<ExportResult> {
  const { config, head } = parseBertConfig(await readJson(join(source, "config.json")));
  const weights = await readWeights(source);
  const model = buildEncoderModel({ config, head, weights: (name) => weights.get(name) });
  const broken = (await checkModel(model)).find(({ severity }) => severity === "error");
  if (broken !== undefined) {
    const message = `The weights are broken: ${broken.subject} ${broken.problem}.`;
    throw new SluiceError("invalid_argument", message);
  }
  await mkdir(output, { recursive: true });
  const copied = await copyCompanions(source, output);
  const written = await writeModelFile(join(output, "model.onnx"), model);
  return { config, head, written, copied };
}

async function readWeights(source: string) {
  const names = await readdir(source);
  if (names.includes("model.safetensors")) {
    return await readSafetensors(join(source, "model.safetensors"));
  }
  const others = names.filter((name) => /\.(bin|safetensors|h5|msgpack)$/.test(name));
  const found = others.length === 0 ? "" : `; found ${others.join(", ")}`;
  throw new SluiceError(
    "not_found",
    `${source} has no model.safetensors${found}. Save the model as one file with ` +
      'save_pretrained(folder, safe_serialization=True, max_shard_size="100GB").',
  );
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SluiceError("not_found", `There is no file ${path}.`, { cause });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SluiceError("invalid_argument", `${path} is not JSON.`, { cause });
  }
}

async function copyCompanions(source: string, output: string): Promise<string[]> {
  const names = await readdir(source);
  const files = names.filter((name) => COMPANIONS.has(name) || LICENCE.test(name));
  files.push(...(await listModuleFiles(source)));
  if (resolve(source) === resolve(output)) return [];
  for (const file of files) {
    await mkdir(dirname(join(output, file)), { recursive: true });
    await copyFile(join(source, file), join(output, file));
  }
  return files.toSorted();
}
