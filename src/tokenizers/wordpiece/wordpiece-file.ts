import type { SequenceTemplate } from "../sequence-template.ts";
import { assertKnownIds, readSequenceTemplate } from "../sequence-template.ts";
import type { AddedToken } from "../tokenizer-file.ts";
import {
  createFileError,
  describe,
  isRecord,
  readAddedTokens,
  readRecord,
} from "../tokenizer-file.ts";
import type { BertNormalizerSettings } from "./character-table.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Words are copied into a buffer of this many characters at most; beyond it, no file has a reason to go. */
const MAX_WORD_CHARACTERS = 10_000;

/** What a `tokenizer.json` of the BERT kind says. */
export interface WordPieceFile {
  readonly normalizer: BertNormalizerSettings;
  readonly vocabulary: Vocabulary;
  readonly unknownId: number;
  /** Longer words are unknown. */
  readonly maxWordCharacters: number;
  readonly addedTokens: readonly AddedToken[];
  readonly template: SequenceTemplate;
}

/**
 * True for a `tokenizer.json` that this folder reads: BertNormalizer, BertPreTokenizer, a WordPiece model, special
 * tokens as BERT has them, and no added tokens with special ways of finding them. Says nothing about its contents.
 */
export function isWordPiece(tokenizerJson: unknown): boolean {
  if (!isRecord(tokenizerJson)) return false;
  const { normalizer, pre_tokenizer: preTokenizer, model, post_processor: post } = tokenizerJson;
  return (
    isOfType(normalizer, "BertNormalizer") &&
    isOfType(preTokenizer, "BertPreTokenizer") &&
    isOfType(model, "WordPiece") &&
    (isOfType(post, "BertProcessing") || isBertTemplate(post)) &&
    hasPlainAddedTokens(tokenizerJson["added_tokens"])
  );
}

/** @throws SluiceError when something is missing or makes no sense */
export function readWordPieceFile(tokenizerJson: unknown): WordPieceFile {
  const file = readRecord(tokenizerJson, "the file");
  const model = readRecord(file["model"], "model");
  const vocab = readRecord(model["vocab"], "model.vocab");
  const vocabulary = new Vocabulary(vocab, readPrefix(model));
  const idOf = (token: string) => {
    const id = vocabulary.idOf(token);
    return id < 0 ? undefined : id;
  };
  const unknown = model["unk_token"] ?? "[UNK]";
  const unknownId = typeof unknown === "string" ? idOf(unknown) : undefined;
  if (unknownId === undefined) {
    throw createFileError("model.unk_token must be a token of model.vocab.");
  }
  const addedTokens = readAddedTokens(file["added_tokens"], idOf);
  const template = readSequenceTemplate(file["post_processor"]);
  const isAdded = (id: number) => addedTokens.some((token) => token.id === id);
  assertKnownIds(template, (id) => vocabulary.hasId(id) || isAdded(id));
  return {
    normalizer: readBertNormalizer(readRecord(file["normalizer"], "normalizer")),
    vocabulary,
    unknownId,
    maxWordCharacters: readMaxWordCharacters(model),
    addedTokens,
    template,
  };
}

/** @throws SluiceError when a setting is neither true nor false */
export function readBertNormalizer(
  normalizer: Readonly<Record<string, unknown>>,
): BertNormalizerSettings {
  const flag = (name: string, fallback: boolean): boolean => {
    const value = normalizer[name] ?? fallback;
    if (typeof value === "boolean") return value;
    throw createFileError(`normalizer.${name} must be true or false, not ${describe(value)}.`);
  };
  const lowercase = flag("lowercase", true);
  return {
    cleanText: flag("clean_text", true),
    handleChineseChars: flag("handle_chinese_chars", true),
    stripAccents: flag("strip_accents", lowercase),
    lowercase,
  };
}

function readPrefix(model: Readonly<Record<string, unknown>>): string {
  const prefix = model["continuing_subword_prefix"] ?? "##";
  if (typeof prefix === "string") return prefix;
  throw createFileError("model.continuing_subword_prefix must be a text.");
}

function readMaxWordCharacters(model: Readonly<Record<string, unknown>>): number {
  const most = model["max_input_chars_per_word"] ?? 100;
  if (Number.isInteger(most) && (most as number) >= 0 && (most as number) <= MAX_WORD_CHARACTERS) {
    return most as number;
  }
  throw createFileError(
    `model.max_input_chars_per_word must be a whole number from 0 to ${MAX_WORD_CHARACTERS}, not ${describe(most)}.`,
  );
}

function isOfType(value: unknown, type: string): boolean {
  return isRecord(value) && value["type"] === type;
}

/** `[CLS] A [SEP]` and `[CLS] A [SEP] B [SEP]`, whatever the special tokens are called. */
function isBertTemplate(post: unknown): boolean {
  if (!isRecord(post) || post["type"] !== "TemplateProcessing") return false;
  return shapeOf(post["single"]) === "* A *" && shapeOf(post["pair"]) === "* A * B *";
}

function shapeOf(pieces: unknown): string {
  if (!Array.isArray(pieces)) return "";
  const shape = pieces.map((piece: unknown) => {
    const sequence = isRecord(piece) ? piece["Sequence"] : undefined;
    return isRecord(sequence) ? sequence["id"] : "*";
  });
  return shape.join(" ");
}

function hasPlainAddedTokens(tokens: unknown): boolean {
  if (!Array.isArray(tokens)) return true;
  return tokens.every(
    (token: unknown) =>
      isRecord(token) &&
      !token["normalized"] &&
      !token["single_word"] &&
      !token["lstrip"] &&
      !token["rstrip"],
  );
}
