import { SluiceError } from "../../core/errors.ts";
import type { Tokenizer } from "../../core/ports/tokenizer.ts";
import { createWindowedTokenizer } from "../create-windowed-tokenizer.ts";
import { assertKnownIds, readSequenceTemplate } from "../sequence-template.ts";
import { createFileError } from "../tokenizer-file.ts";
import type { TransformerTokenizerOptions } from "../transformer-tokenizer-options.ts";
import { clipText } from "./clip-text.ts";
import { createPipeline } from "./create-pipeline.ts";
import type { Library } from "./library.ts";
import { importLibrary } from "./library.ts";
import type { ReadableFile } from "./readable-file.ts";
import { readReadableFile } from "./readable-file.ts";

/** Loads once what happens lazily, and shows whether the file can be read at all. */
const TRIAL_TEXT = "A text, 1 text. 文";

/**
 * Every other kind of `tokenizer.json`: byte-level BPE, Unigram, WordPiece with unusual parts. BPE, WordPiece and
 * regular expressions come from the library `@huggingface/tokenizers`; its other parts differ from the Python package
 * in what they do to many texts, so they are done here. Parts that neither knows are refused.
 *
 * Very long texts are cut before they are read, and so are runs of more than a thousand combining marks (`clipText`);
 * they count as truncated.
 *
 * Known differences to the Python package: characters that the Unicode of one side does not know yet; and Metaspace
 * with the scheme `first` after a normalizer that replaces how a text begins, where the package forgets that it begins.
 *
 * @throws SluiceError `invalid_argument` naming what is wrong with the file, or when `maxTokens` is too small
 */
export async function createHuggingFaceTokenizer(
  options: TransformerTokenizerOptions,
): Promise<Tokenizer> {
  const file = readReadableFile(options.tokenizerJson);
  const template = readSequenceTemplate(file.json["post_processor"]);
  assertKnownIds(template, (id) => file.ids.has(id));
  const [emptyId = 0] = file.ids;
  const { maxTokens, windows } = options;
  const readIds = tryPipeline(file, await importLibrary());
  const tokenizer = createWindowedTokenizer({ maxTokens, windows, template, emptyId, readIds });
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

function tryPipeline(file: ReadableFile, library: Library) {
  try {
    const readIds = createPipeline(file, library);
    readIds(TRIAL_TEXT, Number.POSITIVE_INFINITY);
    return readIds;
  } catch (cause) {
    if (cause instanceof SluiceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const { message } = createFileError(`cannot be read: ${reason.slice(0, 200)}`);
    throw new SluiceError("invalid_argument", message, { cause });
  }
}
