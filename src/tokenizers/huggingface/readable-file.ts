import { createFileError, readAddedTokens, readIds, readRecord } from "../tokenizer-file.ts";

/** A `tokenizer.json` with everything in place that the library takes for granted. */
export interface ReadableFile {
  readonly json: Readonly<Record<string, unknown>>;
  /** Every id that a token has. */
  readonly ids: ReadonlySet<number>;
}

/** What the library knows; older files do not say. */
const MODEL_TYPES: readonly unknown[] = ["BPE", "Unigram", "WordPiece", undefined];
/** Parts that older files leave out where they have none. */
const NO_PARTS = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };

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
    json: { ...NO_PARTS, ...file, added_tokens: file["added_tokens"] ?? [] },
    ids: new Set([...known.values(), ...added.map(({ id }) => id)]),
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
