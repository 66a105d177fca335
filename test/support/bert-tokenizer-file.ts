/** Tokens that the vocabulary begins with, in the order of their ids; `[PAD]`, which fills short rows, is 0. */
export const SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] as const;
type SpecialToken = (typeof SPECIAL_TOKENS)[number];

/**
 * The contents of the `tokenizer.json` of an uncased BERT.
 *
 * @param tokens of the vocabulary beyond {@link SPECIAL_TOKENS}, in the order of their ids
 * @param idOffset is added to the ids of `tokens`
 */
export function createBertTokenizerFile(tokens: readonly string[], idOffset = 0) {
  const firstId = SPECIAL_TOKENS.length + idOffset;
  const vocab = Object.fromEntries([
    ...SPECIAL_TOKENS.map((token, id) => [token, id] as const),
    ...tokens.map((token, at) => [token, firstId + at] as const),
  ]);
  const single = [mark("[CLS]", 0), sequence("A", 0), mark("[SEP]", 0)];
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL_TOKENS.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single,
      pair: [...single, sequence("B", 1), mark("[SEP]", 1)],
      special_tokens: { "[CLS]": describe("[CLS]"), "[SEP]": describe("[SEP]") },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}

function mark(token: SpecialToken, typeId: number) {
  return { SpecialToken: { id: token, type_id: typeId } };
}

function sequence(text: "A" | "B", typeId: number) {
  return { Sequence: { id: text, type_id: typeId } };
}

function describe(token: SpecialToken) {
  return { id: token, ids: [SPECIAL_TOKENS.indexOf(token)], tokens: [token] };
}
