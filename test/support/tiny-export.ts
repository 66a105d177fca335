import type { EncoderHead } from "../../src/model-tools/onnx/encoder-config.ts";
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

const SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
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
    "tokenizer.json": createTokenizerJson(what.idOffset ?? 0),
    "model.onnx": createSmallEncoderBytes(head),
  };
}

function createTokenizerJson(idOffset: number) {
  const vocab = Object.fromEntries([
    ...SPECIAL.map((token, id) => [token, id] as const),
    ...TOKENS.map((token, i) => [token, SPECIAL.length + i + idOffset] as const),
  ]);
  const special = (token: string, typeId: number) => ({
    SpecialToken: { id: token, type_id: typeId },
  });
  const sequence = (id: string, typeId: number) => ({ Sequence: { id, type_id: typeId } });
  const single = [special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), special("[SEP]", 1)],
      special_tokens: {
        "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] },
        "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] },
      },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
