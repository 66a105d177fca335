import { createFileError } from "../tokenizer-file.ts";
import type { Library, LibraryModel } from "./library.ts";
import type { ReadWord } from "./unigram-model.ts";
import { createUnigramReader } from "./unigram-model.ts";

type Model = Readonly<Record<string, unknown>>;

/**
 * Turns words into ids by the `model` of a `tokenizer.json`: Unigram here, BPE and WordPiece by the library.
 *
 * @param model with a checked vocabulary
 * @throws SluiceError for settings that are not supported
 */
export function createWordReader(model: Model, library: Library): ReadWord {
  if (Array.isArray(model["vocab"])) return createUnigram(model, model["vocab"]);
  if (model["merges"] !== undefined) return createBpe(model, library);
  const { unk_token: unknown = "[UNK]", continuing_subword_prefix: prefix = "##" } = model;
  const settings = { ...model, unk_token: unknown, continuing_subword_prefix: prefix };
  return createReader(new library.WordPiece(settings), false);
}

function createUnigram(model: Model, vocab: readonly unknown[]): ReadWord {
  const { unk_id: unknownId } = model;
  if (typeof unknownId !== "number") {
    throw createFileError("model.unk_id is missing: some texts would have no ids.");
  }
  return createUnigramReader({
    vocabulary: vocab as readonly (readonly [string, number])[],
    unknownId,
    usesBytes: model["byte_fallback"] === true,
  });
}

function createBpe(model: Model, library: Library): ReadWord {
  if (!Array.isArray(model["merges"])) throw createFileError("model.merges must be an array.");
  if (model["dropout"]) {
    throw createFileError("model.dropout must be null: the same text must have the same ids.");
  }
  if (model["continuing_subword_prefix"]) {
    throw createFileError("model.continuing_subword_prefix is not supported with BPE.");
  }
  return createReader(new library.BPE(model), model["fuse_unk"] === true);
}

/** A part without an id, where the vocabulary has no unknown token, is left out, as in the reference. */
function createReader(model: LibraryModel, fusesUnknown: boolean): ReadWord {
  const unknownId = model.tokens_to_ids.get(model.unk_token ?? "");
  return (word, ids) => {
    let before: number | undefined;
    for (const token of model.encode([word])) {
      const id = model.tokens_to_ids.get(token);
      const isFused = fusesUnknown && id === unknownId && before === unknownId;
      if (id !== undefined && !isFused) ids.push(id);
      before = id;
    }
  };
}
