import type { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import { SluiceError } from "../core/errors.ts";
import type { TokenInspector } from "../core/ports/token-inspector.ts";
import type { Tokenizer } from "../core/ports/tokenizer.ts";
import { createTokenInspector } from "../tokenizers/create-token-inspector.ts";
import { createWordPieceTokenizer } from "../tokenizers/wordpiece/wordpiece.ts";
import { isWordPiece } from "../tokenizers/wordpiece/wordpiece-file.ts";

/** The part of the composition root that chooses who reads a `tokenizer.json`. */

/** How long a sequence may be, and what becomes of longer texts: the manifest's `maxTokens` and `windows`. */
export interface FileTokenizerOptions {
  readonly maxTokens: number | undefined;
  readonly windows: { readonly max: number; readonly overlapTokens: number };
}

/** @throws SluiceError with the reason when the file cannot be used */
export async function createFileTokenizer(
  bytes: Buffer,
  { maxTokens, windows }: FileTokenizerOptions,
): Promise<Tokenizer> {
  if (maxTokens === undefined) {
    const message = "A tokenizer.json needs maxTokens: the most ids that the model reads.";
    throw new SluiceError("invalid_argument", message);
  }
  const options = { tokenizerJson: parseJson(bytes), maxTokens, windows };
  // Each step takes milliseconds; requests to what serves already are answered in between.
  await nextTurn();
  if (isWordPiece(options.tokenizerJson)) return createWordPieceTokenizer(options);
  const { createHuggingFaceTokenizer } = await import("../tokenizers/huggingface/huggingface.ts");
  return await createHuggingFaceTokenizer(options);
}

/** More ids than any text that is let in has. */
const UNBOUNDED = { maxTokens: 16_777_216, windows: { max: 1, overlapTokens: 0 } };

/** Shows the tokens of a `tokenizer.json`, which is read again when somebody asks. */
export function createFileInspector(path: string): TokenInspector {
  return createTokenInspector(async () => {
    const bytes = await readFile(path);
    return { json: parseJson(bytes), tokenizer: await createFileTokenizer(bytes, UNBOUNDED) };
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new SluiceError("invalid_argument", "tokenizer.json is not valid JSON.", { cause });
  }
}
