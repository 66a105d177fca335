import { SPECIAL_TOKENS } from "./create-vocabulary.ts";

/** The `tokenizer.json` of an uncased BERT with this vocabulary, whose first tokens are {@link SPECIAL_TOKENS}. */
export function toTokenizerFile(vocabulary: readonly string[]): object {
  const idOf = (token: (typeof SPECIAL_TOKENS)[number]) => SPECIAL_TOKENS.indexOf(token);
  const special = (token: (typeof SPECIAL_TOKENS)[number]) => ({
    id: token,
    ids: [idOf(token)],
    tokens: [token],
  });
  const sequence = (id: "A" | "B", typeId: number) => ({ Sequence: { id, type_id: typeId } });
  const mark = (id: "[CLS]" | "[SEP]", typeId: number) => ({
    SpecialToken: { id, type_id: typeId },
  });
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
      special_tokens: { "[CLS]": special("[CLS]"), "[SEP]": special("[SEP]") },
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    },
  };
}
