import type { FieldReader } from "./field-reader.ts";
import { isFilledString, isRecord, isWhole } from "./field-reader.ts";
import { isPackagePath, isSha256 } from "./package-file.ts";

/** Value of `tokenizer.kind` for a tokenizer that a file in the format of Hugging Face describes. */
export const TOKENIZER_FILE_KIND = "tokenizer.json";

/** The fields of a manifest that say how a text becomes ids. */
export interface TokenFields {
  /** Checked further by the tokenizer it names. Kind `tokenizer.json` has the `path` of its file. */
  readonly tokenizer: { readonly kind: string; readonly [setting: string]: unknown };
  /** Ids of the longest sequence that the model reads, special ones included; undefined: the tokenizer sees to it. */
  readonly maxTokens: number | undefined;
  /** How many sequences a longer text becomes at most, and how many tokens neighbours share. `max` 1 cuts it off. */
  readonly windows: { readonly max: number; readonly overlapTokens: number };
}

/** Shortest and longest `maxTokens`; shorter leaves no room beside special tokens. */
const TOKEN_LIMITS = { min: 8, max: 1_000_000 } as const;
/** For transformers about whose length nobody says anything: what nearly all of them read. */
const DEFAULT_MAX_TOKENS = 512;
const DEFAULT_WINDOWS = 8;
const DEFAULT_OVERLAP_TOKENS = 32;

/** @param isClassifier whether scores of several windows can be put together, so that long texts may be cut in some */
export function readTokenFields(read: FieldReader, isClassifier: boolean): TokenFields {
  const tokenizer = readTokenizer(read);
  const maxTokens = readMaxTokens(read, tokenizer.kind === TOKENIZER_FILE_KIND);
  return { tokenizer, maxTokens, windows: readWindows(read, isClassifier, maxTokens) };
}

function readTokenizer(read: FieldReader): TokenFields["tokenizer"] {
  const kind = read.required("tokenizer.kind", "the name of a tokenizer", isFilledString, "");
  const stated = read.valueOf("tokenizer");
  const settings = isRecord(stated) ? stated : {};
  if (kind !== TOKENIZER_FILE_KIND) return { ...settings, kind };
  const expected = "the name of a file in the package";
  const path = read.optional("tokenizer.path", expected, isPackagePath, "tokenizer.json");
  read.optional("tokenizer.sha256", "64 lower-case hex digits", isSha256, "");
  return { ...settings, kind, path };
}

function readMaxTokens(read: FieldReader, isTransformer: boolean): number | undefined {
  const { min, max } = TOKEN_LIMITS;
  const fallback = isTransformer ? DEFAULT_MAX_TOKENS : undefined;
  if (read.valueOf("maxTokens") === undefined) return fallback;
  return read.required("maxTokens", `a whole number from ${min} to ${max}`, isWhole(min, max), min);
}

function readWindows(
  read: FieldReader,
  isClassifier: boolean,
  maxTokens: number | undefined,
): TokenFields["windows"] {
  const fallback = isClassifier && maxTokens !== undefined ? DEFAULT_WINDOWS : 1;
  const most = maxTokens === undefined ? 1 : 1000;
  const range =
    most === 1 ? "1, because maxTokens is not stated" : `a whole number from 1 to ${most}`;
  const max = read.optional("windows.max", range, isWhole(1, most), fallback);
  // Windows that share more than half get on slowly and count the middle of a text many times over.
  const half = Math.floor((maxTokens ?? 0) / 2);
  const overlap = max === 1 ? 0 : Math.min(DEFAULT_OVERLAP_TOKENS, Math.floor(half / 2));
  const expected = `a whole number from 0 to ${half}, half of maxTokens`;
  return {
    max,
    overlapTokens: read.optional("windows.overlapTokens", expected, isWhole(0, half), overlap),
  };
}
