import type { Tokenizer } from "../../core/ports/tokenizer.ts";
import { createAddedTokenFinder } from "../added-token-finder.ts";
import { createWindowedTokenizer } from "../create-windowed-tokenizer.ts";
import type { TransformerTokenizerOptions } from "../transformer-tokenizer-options.ts";
import { WordScanner } from "./word-scanner.ts";
import { readWordPieceFile } from "./wordpiece-file.ts";

/**
 * The tokenizer of BERT and its kin, for files that `isWordPiece` accepts: the ids of the Hugging Face tokenizers,
 * several times as fast. Time grows with the length of a text, whatever it contains.
 *
 * @throws SluiceError `invalid_argument` naming what is wrong with the file, or when `maxTokens` is too small
 */
export function createWordPieceTokenizer(options: TransformerTokenizerOptions): Tokenizer {
  const file = readWordPieceFile(options.tokenizerJson);
  const scanner = new WordScanner(file);
  const findAddedToken = createAddedTokenFinder(file.addedTokens);
  const readIds = (text: string, limit: number): Int32Array => {
    scanner.clear();
    let from = 0;
    while (scanner.count <= limit) {
      const match = findAddedToken(text, from);
      if (match === undefined) break;
      scanner.scan(text.slice(from, match.at), limit);
      scanner.add(match.token.id);
      from = match.at + match.token.content.length;
    }
    scanner.scan(from === 0 ? text : text.slice(from), limit);
    return scanner.ids;
  };
  const { maxTokens, windows } = options;
  const { template, unknownId: emptyId } = file;
  return createWindowedTokenizer({ maxTokens, windows, template, emptyId, readIds });
}
