/** One sequence of ids, as a model reads it. */
export interface EncodedText {
  /** Token or feature ids in order, special ones included; at least one. Owned by the receiver: a tokenizer never touches it again. */
  readonly ids: Int32Array;
  /** Index of the first id of the second text of a pair (token type 1); `ids.length` when there is none. */
  readonly secondStart: number;
}

/** A text, or a pair of texts, as a model reads it. */
export interface TextEncoding {
  /** One, unless the text is longer than the model reads: then several that overlap. */
  readonly windows: readonly EncodedText[];
  /** True when even the windows leave something out. */
  readonly truncated: boolean;
}

/**
 * Turns normalized text into ids. Pure and synchronous: the same text always gives the same ids, in this process
 * and in any other.
 *
 * Errors: none. Every string, also the empty one, has an encoding of at least one id.
 */
export interface Tokenizer {
  /** @param pair the second text, for models that read two, such as a question and a passage */
  encode(text: string, pair?: string): TextEncoding;
}
