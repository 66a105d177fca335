import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import { normalizeText } from "../../../src/core/text/normalize.ts";
import { ModelProtoSchema } from "../../../src/generated/onnx_pb.ts";
import type { EncoderHead } from "../../../src/model-tools/onnx/encoder-config.ts";
import { MINILM_CONFIG } from "../../../src/model-tools/onnx/encoder-config.ts";
import { buildEncoderModel } from "../../../src/model-tools/onnx/encoder-graph.ts";
import type { WeightReader } from "../../../src/model-tools/onnx/encoder-weights.ts";
import { createSeededWeights } from "../../../src/model-tools/onnx/seeded-weights.ts";
import { createWordPieceTokenizer } from "../../../src/tokenizers/wordpiece/wordpiece.ts";
import {
  createBertTokenizerFile,
  SPECIAL_TOKENS,
} from "../../../test/support/bert-tokenizer-file.ts";
import { createVocabulary } from "./create-vocabulary.ts";
import { quantizeStatically } from "./quantize-statically.ts";

/** Number formats that the seeded model is measured in. */
export const PRECISIONS = ["int8", "fp32"] as const;
export type Precision = (typeof PRECISIONS)[number];

/** A transformer of the shape of MiniLM-L6-H384 with made-up weights: its speed is real, its answers mean nothing. */
export const SEEDED_MODEL = {
  name: "minilm",
  version: "1.0.0",
  labels: ["negative", "positive"],
  maxTokens: 256,
  padId: 0,
} as const;

const HEAD: EncoderHead = { kind: "classification", labels: SEEDED_MODEL.labels.length };
const SEED = 20_240_229;
/** Made-up weights hardly tell texts apart; with a steeper head a mixed-up answer shows. */
const HEAD_FACTOR = 20;
const CALIBRATION_TEXTS = 100;

/** Folders of model packages by precision, each with the one model, so that a server loads nothing else. */
export interface SeededPackages extends Readonly<Record<Precision, SeededPackage>> {
  /** The ids that a server runs for these texts. */
  readonly encode: (texts: readonly string[]) => EncodedText[];
}

export interface SeededPackage {
  readonly modelsDirectory: string;
  readonly modelPath: string;
  /** Holds config.json, tokenizer.json, manifest.json and model.onnx. */
  readonly folder: string;
}

/**
 * Builds the model in both precisions below `directory`, with a vocabulary of the texts. The same texts always give the
 * same files.
 */
export async function buildSeededPackages(
  directory: string,
  texts: readonly string[],
): Promise<SeededPackages> {
  const size = MINILM_CONFIG.vocabSize - SPECIAL_TOKENS.length;
  const tokenizerJson = createBertTokenizerFile(createVocabulary(texts, size));
  const { maxTokens } = SEEDED_MODEL;
  const windows = { max: 1, overlapTokens: 0 };
  const tokenizer = createWordPieceTokenizer({ tokenizerJson, maxTokens, windows });
  const model = buildEncoderModel({ config: MINILM_CONFIG, head: HEAD, weights: drawWeights() });
  const float = toBinary(ModelProtoSchema, model);
  const encode = (some: readonly string[]) =>
    some.flatMap((text) => tokenizer.encode(normalizeText(text)).windows);
  const calibration = encode(texts.slice(0, CALIBRATION_TEXTS)).map(({ ids }) => ids);
  const bytes = { fp32: float, int8: await quantizeStatically(float, model, calibration) };
  const write = (precision: Precision) =>
    writePackage(join(directory, precision), tokenizerJson, bytes[precision]);
  return { int8: await write("int8"), fp32: await write("fp32"), encode };
}

function drawWeights(): WeightReader {
  const seeded = createSeededWeights(MINILM_CONFIG, HEAD, SEED);
  return (name) => {
    const tensor = seeded(name);
    if (tensor === undefined || !name.endsWith("classifier.weight")) return tensor;
    return { shape: tensor.shape, values: tensor.values.map((value) => HEAD_FACTOR * value) };
  };
}

/** In the layout of a Hugging Face export; the manifest adds where texts are cut. */
async function writePackage(
  modelsDirectory: string,
  tokenizerJson: object,
  model: Uint8Array,
): Promise<SeededPackage> {
  const { name, version, labels, maxTokens, padId } = SEEDED_MODEL;
  const folder = join(modelsDirectory, name, version);
  const config = {
    architectures: ["BertForSequenceClassification"],
    model_type: "bert",
    problem_type: "single_label_classification",
    id2label: Object.fromEntries(labels.entries()),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    vocab_size: MINILM_CONFIG.vocabSize,
    max_position_embeddings: MINILM_CONFIG.maxPositions,
    pad_token_id: padId,
  };
  const manifest = {
    schema: "sluice.model/v1",
    extends: "config.json",
    maxTokens,
    windows: { max: 1 },
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizerJson));
  await writeFile(join(folder, "manifest.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "model.onnx"), model);
  return { modelsDirectory, folder, modelPath: join(folder, "model.onnx") };
}
