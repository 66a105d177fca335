/** One text, as a model reads it. */
export interface EncodedText {
  /** Token or feature ids in order; at least one. Owned by the receiver: a tokenizer never touches it again. */
  readonly ids: Int32Array;
  /** True when the text was longer than the model reads and its end was left out. */
  readonly truncated: boolean;
}

/**
 * Turns normalized text into ids. Pure and synchronous: the same text always gives the same ids, in this process
 * and in any other.
 *
 * Errors: none. Every string, also the empty one, has an encoding of at least one id.
 */
export interface Tokenizer {
  encode(text: string): EncodedText;
}
