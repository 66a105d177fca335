import type { EncoderHead } from "../../src/model-tools/onnx/encoder-config.ts";
import { createBertTokenizerFile } from "./bert-tokenizer-file.ts";
import type { FilesToWrite } from "./model-folder.ts";
import { createSmallEncoderBytes, SMALL_ENCODER } from "./small-encoder.ts";

/** A package in the layout of Hugging Face, of a few kilobytes, with made-up weights. */
export interface TinyExport {
  readonly architecture: "BertForSequenceClassification" | "BertModel";
  /** Of a classifier, in order; one label makes it a scorer of pairs. */
  readonly labels?: readonly string[];
  /** Added to every id of the tokenizer beyond the special ones. */
  readonly idOffset?: number;
}

const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const WORDS = ["good", "bad", "movie", "food", "the", "was", "very", "and", "day", "is", "no"];
const HAN = [..."今天气很好坏电影服务不错"];
const TOKENS = [
  ...LETTERS,
  ...LETTERS.map((letter) => `##${letter}`),
  ...WORDS,
  ...HAN,
  ",",
  ".",
  "?",
];

/** The files of an export; a test may add to them, replace some, or leave some out. */
export function createTinyExport(what: TinyExport): FilesToWrite {
  const { architecture, labels = [] } = what;
  const head: EncoderHead =
    architecture === "BertModel"
      ? { kind: "hidden-states" }
      : { kind: "classification", labels: labels.length };
  return {
    "config.json": {
      architectures: [architecture],
      model_type: "bert",
      max_position_embeddings: SMALL_ENCODER.maxPositions,
      vocab_size: SMALL_ENCODER.vocabSize,
      hidden_size: SMALL_ENCODER.hiddenSize,
      pad_token_id: 0,
      ...(labels.length > 0 && { id2label: Object.fromEntries(labels.entries()) }),
    },
    "tokenizer.json": createBertTokenizerFile(TOKENS, what.idOffset),
    "model.onnx": createSmallEncoderBytes(head),
  };
}
