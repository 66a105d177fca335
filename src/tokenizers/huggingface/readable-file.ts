import type { AddedToken } from "../tokenizer-file.ts";
import {
  createFileError,
  isRecord,
  readAddedTokens,
  readIds,
  readRecord,
} from "../tokenizer-file.ts";
import type { ConditionalToken } from "./split-added-tokens.ts";

/** A `tokenizer.json` whose vocabulary and added tokens are checked. */
export interface ReadableFile {
  readonly json: Readonly<Record<string, unknown>>;
  readonly model: Readonly<Record<string, unknown>>;
  readonly addedTokens: readonly NormalizableToken[];
  /** Every id that a token has. */
  readonly ids: ReadonlySet<number>;
}

/** An added token that is looked for in the text as it stands, or after normalization. */
export interface NormalizableToken extends ConditionalToken {
  readonly isNormalized: boolean;
}

/** Older files do not say. */
const MODEL_TYPES: readonly unknown[] = ["BPE", "Unigram", "WordPiece", undefined];

/**
 * Checks what the library does not: it reads whatever it is given, and fails or gives nonsense later.
 *
 * @throws SluiceError naming what is wrong
 */
export function readReadableFile(tokenizerJson: unknown): ReadableFile {
  const file = readRecord(tokenizerJson, "the file");
  const model = readRecord(file["model"], "model");
  if (!MODEL_TYPES.includes(model["type"])) {
    throw createFileError("model.type must be BPE, Unigram or WordPiece.");
  }
  const known = Array.isArray(model["vocab"])
    ? readScoredVocab(model["vocab"])
    : readVocab(readRecord(model["vocab"], "model.vocab"));
  const added = readAddedTokens(file["added_tokens"], (token) => known.get(token));
  const tokens = new Set([...known.keys(), ...added.map(({ content }) => content)]);
  assertUnknownToken(model, tokens, known.size);
  return {
    json: file,
    model,
    addedTokens: added.map((token, i) => readConditions(token, file["added_tokens"], i)),
    ids: new Set([...known.values(), ...added.map(({ id }) => id)]),
  };
}

function readConditions(token: AddedToken, list: unknown, index: number): NormalizableToken {
  const entry: unknown = Array.isArray(list) ? list[index] : undefined;
  const flags = isRecord(entry) ? entry : {};
  return {
    ...token,
    isSingleWord: flags["single_word"] === true,
    takesBlanksBefore: flags["lstrip"] === true,
    takesBlanksAfter: flags["rstrip"] === true,
    isNormalized: (flags["normalized"] ?? flags["special"] !== true) === true,
  };
}

function readVocab(vocab: Readonly<Record<string, unknown>>): ReadonlyMap<string, number> {
  const tokens = Object.keys(vocab);
  const ids = readIds(tokens, (token) => vocab[token]);
  return new Map(tokens.map((token, i) => [token, ids[i] as number]));
}

/** The vocabulary of a Unigram model: pairs of a token and its score; a token's id is its place. */
function readScoredVocab(vocab: readonly unknown[]): ReadonlyMap<string, number> {
  const tokens = vocab.map((entry, i) => {
    const [token, score] = Array.isArray(entry) ? (entry as readonly unknown[]) : [];
    if (typeof token === "string" && Number.isFinite(score)) return token;
    throw createFileError(`model.vocab[${i}] must be a token and its score.`);
  });
  readIds(tokens, (_, i) => i);
  const known = new Map(tokens.map((token, i) => [token, i]));
  if (known.size === tokens.length) return known;
  throw createFileError("model.vocab has the same token twice.");
}

function assertUnknownToken(
  { unk_token: token, unk_id: id }: Readonly<Record<string, unknown>>,
  tokens: ReadonlySet<unknown>,
  size: number,
): void {
  if (isStated(token) && !tokens.has(token)) {
    throw createFileError("model.unk_token must be a token of model.vocab or added_tokens.");
  }
  if (isStated(id) && !(Number.isInteger(id) && Number(id) >= 0 && Number(id) < size)) {
    throw createFileError("model.unk_id must be the place of a token in model.vocab.");
  }
}

function isStated(value: unknown): boolean {
  return value !== undefined && value !== null;
}
