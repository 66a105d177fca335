import type { Tokenizer } from "../../core/ports/tokenizer.ts";
import { createHuggingFaceTokenizer } from "../../tokenizers/huggingface/huggingface.ts";
import { createWordPieceTokenizer } from "../../tokenizers/wordpiece/wordpiece.ts";
import { isWordPiece } from "../../tokenizers/wordpiece/wordpiece-file.ts";

/**
 * Creates what turns a normalized text into ids, special ones included, the way a server does it for short texts: what
 * is longer than the model reads is cut off.
 *
 * @param tokenizerJson the parsed `tokenizer.json`.
 * @throws SluiceError `invalid_argument` naming what is wrong with the file.
 */
export async function createTextEncoder(
  tokenizerJson: unknown,
  maxTokens: number,
): Promise<(text: string) => Int32Array> {
  const options = { tokenizerJson, maxTokens, windows: { max: 1, overlapTokens: 0 } };
  const tokenizer: Tokenizer = isWordPiece(tokenizerJson)
    ? createWordPieceTokenizer(options)
    : await createHuggingFaceTokenizer(options);
  return (text) => tokenizer.encode(text).windows[0]?.ids ?? new Int32Array();
}
