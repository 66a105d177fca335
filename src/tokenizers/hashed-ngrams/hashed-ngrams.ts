import type { TextEncoding, Tokenizer } from "../../core/ports/tokenizer.ts";
import { FeatureScanner } from "./feature-scanner.ts";
import { parseHashedNgramsSettings } from "./settings.ts";

/**
 * Creates the tokenizer of bag-of-n-grams classifiers: words, pairs of words, beginnings of words, runs of characters
 * in scripts without blanks, punctuation and emoji, each hashed to one of `buckets` ids (the hashing trick; Weinberger
 * et al., "Feature Hashing for Large Scale Multitask Learning", ICML 2009). There is no vocabulary to ship or load.
 *
 * Made for the event loop of a busy server: one pass over the UTF-16 units, no strings, no regular expressions, and one
 * allocation per text, the result. Needs about 200 KB for its tables.
 *
 * Ids: 0 is padding and never comes out; 1 stands alone for a text without any feature. An id occurs as often as its
 * feature does.
 *
 * @param settings the `tokenizer` object of a manifest, see {@link HashedNgramsSettings}.
 * @throws SluiceError `invalid_argument` with one detail per wrong setting.
 */
export function createHashedNgramsTokenizer(settings: unknown): Tokenizer {
  const scanner = new FeatureScanner(parseHashedNgramsSettings(settings));
  return {
    encode(text: string): TextEncoding {
      return scanner.scan(text);
    },
  };
}
