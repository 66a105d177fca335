/** A token of a text. */
export interface InspectedToken {
  readonly id: number;
  /** As the vocabulary writes it; empty for an id that it does not have. */
  readonly text: string;
  /** The tokenizer put it around the text. */
  readonly special: boolean;
  /** Where it begins in the normalized text and where it ends, in UTF-16 units; `undefined` when nobody kept that. */
  readonly start: number | undefined;
  readonly stop: number | undefined;
}

/** Shows people how a tokenizer reads a text. Not for the way of a request to its model. */
export interface TokenInspector {
  /**
   * @param text normalized
   * @returns all tokens of the text, also those beyond what the model reads at once
   * @throws SluiceError `unavailable` when what it needs cannot be read
   */
  inspect(text: string): Promise<readonly InspectedToken[]>;
}
