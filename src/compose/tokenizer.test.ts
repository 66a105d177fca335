import { Buffer } from "node:buffer";
import { describe, expect, test } from "vitest";
import { SluiceError } from "../core/errors.ts";
import { createFileTokenizer } from "./tokenizer.ts";

const windows = { max: 1, overlapTokens: 0 };
const vocab = { "[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, hello: 4, "##s": 5 };
const model = {
  type: "WordPiece",
  unk_token: "[UNK]",
  continuing_subword_prefix: "##",
  max_input_chars_per_word: 100,
  vocab,
};
const bert = {
  added_tokens: [{ id: 3, content: "[SEP]", special: true, normalized: false }],
  normalizer: { type: "BertNormalizer", lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: { type: "BertProcessing", cls: ["[CLS]", 2], sep: ["[SEP]", 3] },
  model,
};
/** Not for our own WordPiece: words are split at blanks alone. */
const other = { ...bert, normalizer: null, pre_tokenizer: { type: "WhitespaceSplit" } };
const unigram = {
  ...other,
  model: {
    type: "Unigram",
    unk_id: 0,
    vocab: [
      ["<unk>", 0],
      ["a", -1],
      ["b", -2],
      ["c", -3],
    ],
  },
  added_tokens: [],
};

function create(file: unknown, maxTokens: number | undefined = 16) {
  const text = typeof file === "string" ? file : JSON.stringify(file);
  return createFileTokenizer(Buffer.from(text), { maxTokens, windows });
}

async function expectRefused(file: unknown, problem: string): Promise<void> {
  const thrown = await create(file).then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SluiceError);
  expect(thrown).toMatchObject({
    code: "invalid_argument",
    message: expect.stringContaining(problem),
  });
}

test("our own WordPiece and the library read the same ids where both can", async () => {
  for (const file of [bert, other]) {
    const tokenizer = await create(file);
    expect([...(tokenizer.encode("hellos nothing hello").windows[0]?.ids ?? [])]).toEqual([
      2, 4, 5, 1, 4, 3,
    ]);
  }
});

test("a file that is no JSON, and a missing limit, are refused", async () => {
  await expectRefused("{", "tokenizer.json is not valid JSON");
  const bytes = Buffer.from(JSON.stringify(bert));
  await expect(createFileTokenizer(bytes, { maxTokens: undefined, windows })).rejects.toThrow(
    "needs maxTokens",
  );
});

describe.each([
  ["own", bert],
  ["library", other],
])("a hostile file is refused by name, %s", (_, file) => {
  test.each([
    ["model must be an object", { model: null }],
    ["model.vocab must be an object, and is missing", { model: { ...model, vocab: undefined } }],
    ["model.vocab must be an object, and is a string", { model: { ...model, vocab: "a" } }],
    ["model.vocab has no entries", { model: { ...model, vocab: {} } }],
    [
      "two entries of model.vocab have the id 4",
      { model: { ...model, vocab: { ...vocab, x: 4 } } },
    ],
    [
      'model.vocab["x"] must have a whole number',
      { model: { ...model, vocab: { ...vocab, x: -1 } } },
    ],
    [
      'model.vocab["x"] must have a whole number',
      { model: { ...model, vocab: { ...vocab, x: 1.5 } } },
    ],
    [
      'model.vocab["x"] must have a whole number',
      { model: { ...model, vocab: { ...vocab, x: 1e9 } } },
    ],
    ["not a string", { model: { ...model, vocab: { ...vocab, x: "9" } } }],
    ["model.unk_token must be a token", { model: { ...model, unk_token: "<unk>" } }],
    ["added_tokens must be an array", { added_tokens: "none" }],
    ["added_tokens[0].content", { added_tokens: [{ id: 1, content: "" }] }],
    ["added_tokens[0] must have a whole number", { added_tokens: [{ id: -1, content: "x" }] }],
    ["has the id 9, but 4 in model.vocab", { added_tokens: [{ id: 9, content: "hello" }] }],
    [
      "post_processor adds the id 77",
      { post_processor: { ...bert.post_processor, cls: ["[CLS]", 77] } },
    ],
  ])("%s", async (problem, change) => {
    await expectRefused({ ...file, ...change }, problem);
  });
});

describe("what only one of them reads", () => {
  test.each([
    [
      "normalizer.lowercase must be true or false",
      { ...bert, normalizer: { type: "BertNormalizer", lowercase: 1 } },
    ],
    ["max_input_chars_per_word", { ...bert, model: { ...model, max_input_chars_per_word: 1e9 } }],
    ["continuing_subword_prefix", { ...bert, model: { ...model, continuing_subword_prefix: 2 } }],
    [
      "model.vocab[0] must be a token and its score",
      { ...unigram, model: { ...unigram.model, vocab: [["a"]] } },
    ],
    [
      "the same token twice",
      {
        ...unigram,
        model: {
          ...unigram.model,
          vocab: [
            ["a", 0],
            ["a", 1],
          ],
        },
      },
    ],
    ["model.unk_id", { ...unigram, model: { ...unigram.model, unk_id: 4 } }],
    ["model.vocab has no entries", { ...unigram, model: { ...unigram.model, vocab: [] } }],
    ["pre_tokenizer", { ...other, pre_tokenizer: { type: "Nonsense" } }],
    ["model.type must be BPE", { ...other, model: { ...model, type: "Nonsense" } }],
    ["the file must be an object, and is an array", []],
    ["the file must be an object, and is null", null],
  ])("%s", async (problem, file) => {
    await expectRefused(file, problem);
  });
});

test("no message repeats a long token", async () => {
  const file = { ...bert, model: { ...model, vocab: { ...vocab, [`x${"y".repeat(9_999)}`]: -1 } } };
  const error = await create(file).catch((thrown: unknown) => thrown);
  expect(String(error).length).toBeLessThan(300);
});
