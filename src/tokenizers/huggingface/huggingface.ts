import type { Tokenizer as LibraryTokenizer } from "@huggingface/tokenizers";
import { SluiceError } from "../../core/errors.ts";
import type { Tokenizer } from "../../core/ports/tokenizer.ts";
import { createWindowedTokenizer } from "../create-windowed-tokenizer.ts";
import { assertKnownIds, readSequenceTemplate } from "../sequence-template.ts";
import { createFileError } from "../tokenizer-file.ts";
import type { TransformerTokenizerOptions } from "../transformer-tokenizer-options.ts";
import { clipText } from "./clip-text.ts";
import { readReadableFile } from "./readable-file.ts";

/** Loads once what the library does lazily, and shows whether it can read anything at all. */
const TRIAL_TEXT = "A text, 1 text. 文";

/**
 * Every other kind of `tokenizer.json` (byte-level BPE, Unigram, WordPiece with unusual parts), read by the library
 * `@huggingface/tokenizers`. Texts with more characters than the windows can hold at 16 for each token are cut there
 * and count as truncated, and so are runs of more than a thousand combining marks.
 *
 * Known differences to the Python package: among ways to cut a word that are exactly as likely, a Unigram model here
 * may take another one; U+FEFF counts as a blank and U+0085 does not.
 *
 * @throws SluiceError `invalid_argument` naming what is wrong with the file, or when `maxTokens` is too small
 */
export async function createHuggingFaceTokenizer(
  options: TransformerTokenizerOptions,
): Promise<Tokenizer> {
  const { json, ids } = readReadableFile(options.tokenizerJson);
  const template = readSequenceTemplate(json["post_processor"]);
  assertKnownIds(template, (id) => ids.has(id));
  const [emptyId = 0] = ids;
  const library = await createLibraryTokenizer(json);
  const { maxTokens, windows } = options;
  const tokenizer = createWindowedTokenizer({
    maxTokens,
    windows,
    template,
    emptyId,
    readIds: (text) => readContent(library, text),
  });
  const mostTokens = maxTokens * windows.max;
  return {
    encode: (text, pair) => {
      const clipped = clipText(text, mostTokens);
      const clippedPair = pair === undefined ? undefined : clipText(pair, mostTokens);
      const encoding = tokenizer.encode(clipped, clippedPair);
      const isWhole = clipped === text && clippedPair === pair;
      return isWhole ? encoding : { ...encoding, truncated: true };
    },
  };
}

async function createLibraryTokenizer(
  json: Readonly<Record<string, unknown>>,
): Promise<LibraryTokenizer> {
  const { Tokenizer: Library } = await importLibrary();
  try {
    const library = new Library(json, {});
    readContent(library, TRIAL_TEXT);
    return library;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError(
      "invalid_argument",
      createFileError(`the library that reads it fails: ${reason.slice(0, 200)}`).message,
      { cause },
    );
  }
}

async function importLibrary() {
  try {
    return await import("@huggingface/tokenizers");
  } catch (cause) {
    const message =
      "This tokenizer.json needs the package @huggingface/tokenizers; install it with: npm install @huggingface/tokenizers";
    throw new SluiceError("invalid_argument", message, { cause });
  }
}

/** Ids without special ones. The library gives undefined for what a vocabulary without an unknown token lacks. */
function readContent(library: LibraryTokenizer, text: string): readonly number[] {
  const ids: readonly (number | undefined)[] = library.encode(text, {
    add_special_tokens: false,
  }).ids;
  return ids.filter((id) => id !== undefined);
}
