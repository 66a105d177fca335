/** The sizes of a BERT-style encoder, as its `config.json` states them. */
export interface EncoderConfig {
  /** Rows of the word table. */
  readonly vocabSize: number;
  /** Length of the vector of one token. */
  readonly hiddenSize: number;
  readonly layers: number;
  /** Attention heads per layer; divides `hiddenSize`. */
  readonly heads: number;
  /** Length of the vectors between the two halves of a feed-forward part. */
  readonly intermediateSize: number;
  /** Longest sequence. */
  readonly maxPositions: number;
  /** Kinds of segments, at least 1. */
  readonly typeVocabSize: number;
  readonly layerNormEpsilon: number;
}

/**
 * What an encoder's last layer feeds: the pooler and a classifier (output `logits`, `[batch, labels]`), or nothing
 * (output `last_hidden_state`, `[batch, sequence, hiddenSize]`).
 */
export type EncoderHead =
  | { readonly kind: "classification"; readonly labels: number }
  | { readonly kind: "hidden-states" };

/** The sizes of MiniLM-L6-H384 (uncased English vocabulary): 22.7 million weights. */
export const MINILM_CONFIG: EncoderConfig = {
  vocabSize: 30_522,
  hiddenSize: 384,
  layers: 6,
  heads: 12,
  intermediateSize: 1536,
  maxPositions: 512,
  typeVocabSize: 2,
  layerNormEpsilon: 1e-12,
};
