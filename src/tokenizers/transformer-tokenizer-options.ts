/** What a tokenizer for a transformer is made from. */
export interface TransformerTokenizerOptions {
  /** The parsed `tokenizer.json` of Hugging Face. Its `truncation` and `padding` are not read: those below count. */
  readonly tokenizerJson: unknown;
  /** Ids of the longest sequence that the model reads, special ones included. */
  readonly maxTokens: number;
  /** How many sequences a longer text becomes at most, and how many ids neighbours share. `max` 1 cuts it off. */
  readonly windows: { readonly max: number; readonly overlapTokens: number };
}
