import { describe, expect, test } from "vitest";
import { createWordPieceTokenizer } from "./wordpiece.ts";
import { isWordPiece } from "./wordpiece-file.ts";

const TOKENS = [
  ...["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
  ...["play", "##ing", "##ed", "un", "##play", "cafe", "café", "!", ",", "好", "的", "Play"],
  ...["😀", "i", "##̇", "a", "##a", "aaaa", "𠀀", "##한", "가", "ᄒ", "##ᅡ", "##ᆫ"],
];
const idOf = (token: string) => TOKENS.indexOf(token);
const file = {
  added_tokens: ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"].map((content) => ({
    id: idOf(content),
    content,
    special: true,
    normalized: false,
  })),
  normalizer: { type: "BertNormalizer", lowercase: true, strip_accents: null },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 6,
    vocab: Object.fromEntries(TOKENS.map((token, id) => [token, id])),
  },
};

function create(change: object = {}, maxTokens = 64) {
  const windows = { max: 1, overlapTokens: 0 };
  return createWordPieceTokenizer({ tokenizerJson: { ...file, ...change }, maxTokens, windows });
}

/** The tokens between [CLS] and [SEP]. */
function tokensOf(text: string, tokenizer = create()): string {
  const [window] = tokenizer.encode(text).windows;
  return [...(window?.ids ?? [])]
    .slice(1, -1)
    .map((id) => TOKENS[id])
    .join(" ");
}

function withNormalizer(flags: object) {
  return create({ normalizer: { ...file.normalizer, ...flags } });
}

test("words are cut into the longest known beginnings, or are unknown as a whole", () => {
  expect(tokensOf("played, playx!")).toBe("play ##ed , [UNK] !");
  expect(tokensOf("unplay played")).toBe("un ##play play ##ed");
});

test("a word of as many characters as allowed is cut, a longer one is unknown, known or not", () => {
  expect(tokensOf("aaaaaa aaaaaaa")).toBe("aaaa ##a ##a [UNK]");
  expect(tokensOf("𠀀")).toBe("𠀀");
});

test("special tokens in a text are found as they are written, also inside words", () => {
  expect(tokensOf("play[MASK]play [mask] [MASK")).toBe(
    "play [MASK] play [UNK] [UNK] [UNK] [UNK] [UNK]",
  );
});

test("case and accents vanish, or stay, as the file says", () => {
  expect(tokensOf("CAFÉ cafe\u0301 Play")).toBe("cafe cafe play");
  expect(tokensOf("CAFÉ Play", withNormalizer({ strip_accents: false }))).toBe("café play");
  expect(tokensOf("Café Play", withNormalizer({ lowercase: false }))).toBe("[UNK] Play");
  expect(tokensOf("İ", withNormalizer({ strip_accents: false }))).toBe("i ##̇");
});

test("Chinese characters stand alone, unless the file says otherwise", () => {
  expect(tokensOf("好的")).toBe("好 的");
  expect(tokensOf("好的", withNormalizer({ handle_chinese_chars: false }))).toBe("[UNK]");
});

test("a Korean syllable is read as its letters", () => {
  expect(tokensOf("한")).toBe("ᄒ ##ᅡ ##ᆫ");
});

test("control characters vanish without ending a word, blanks of all kinds end one", () => {
  expect(tokensOf("pl\u0000a\u200by\u3000play\u00a0play\tplay")).toBe("play play play play");
});

test("half of a surrogate pair counts as a lost character, and the whole as one character", () => {
  expect(tokensOf("pl\ud83day😀")).toBe(tokensOf("pl\ufffday😀"));
  expect(tokensOf("😀 \ude00\ud83d")).toBe("😀");
});

test("the file's own truncation and padding play no part", () => {
  const truncation = { max_length: 3, strategy: "LongestFirst", stride: 0 };
  const padding = { strategy: { Fixed: 99 } };
  expect(tokensOf("play play play", create({ truncation, padding }))).toBe("play play play");
});

test("a very long text, a very long word and a short text after them are read as ever", () => {
  const tokenizer = create({}, 1_000_000);
  const long = "play ".repeat(50_000);
  expect(tokenizer.encode(long).windows[0]?.ids.length).toBe(50_002);
  expect(tokenizer.encode("a".repeat(200_000)).windows[0]?.ids).toEqual(Int32Array.of(2, 1, 3));
  expect(tokensOf("play", tokenizer)).toBe("play");
});

describe("only what BERT does is read here", () => {
  const single = [{ SpecialToken: { id: "[CLS]" } }, { Sequence: { id: "A" } }];
  test.each([
    ["another normalizer", { normalizer: { type: "NFC" } }],
    ["another pre-tokenizer", { pre_tokenizer: { type: "Whitespace" } }],
    ["another model", { model: { ...file.model, type: "BPE" } }],
    ["no special tokens", { post_processor: null }],
    ["others", { post_processor: { type: "TemplateProcessing", single, pair: [] } }],
    [
      "an added token that is normalized",
      { added_tokens: [{ id: 1, content: "x", normalized: true }] },
    ],
    [
      "an added token that takes blanks along",
      { added_tokens: [{ id: 1, content: "x", lstrip: true }] },
    ],
  ])("%s", (_, change) => {
    expect(isWordPiece(file)).toBe(true);
    expect(isWordPiece({ ...file, ...change })).toBe(false);
  });

  test.each([[null], ["text"], [[]], [{}], [{ model: 1 }]])("%j", (value) => {
    expect(isWordPiece(value)).toBe(false);
  });
});

/** Generous: these take a few milliseconds. What takes time with the square of the length takes minutes. */
const MAX_MS = 4_000;

test.each([
  ["letters without blanks", "a".repeat(100_000)],
  ["combining marks in the wrong order", "\u0301\u0327".repeat(50_000)],
  ["beginnings of special tokens", "[MASK".repeat(20_000)],
  ["words as long as allowed", "aaaaaa ".repeat(15_000)],
  ["Korean", "한".repeat(100_000)],
])("time stays bounded for 100,000 characters: %s", (_, text) => {
  const tokenizer = create({}, 1_000_000);
  const startMs = performance.now();
  tokenizer.encode(text);
  tokenizer.encode(text, text);
  expect(performance.now() - startMs).toBeLessThan(MAX_MS);
});
