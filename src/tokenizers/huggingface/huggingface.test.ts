import { expect, test } from "vitest";
import { createHuggingFaceTokenizer } from "./huggingface.ts";

const TOKENS = ["<s>", "</s>", "<unk>", "▁a", "b", "▁", "c"];
const file = {
  added_tokens: [{ id: 1, content: "</s>", special: true, normalized: false }],
  normalizer: { type: "NFKC" },
  pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true },
  post_processor: { type: "RobertaProcessing", cls: ["<s>", 0], sep: ["</s>", 1] },
  model: { type: "Unigram", unk_id: 2, vocab: TOKENS.map((token, i) => [token, -1 - i / 10]) },
};

function create(maxTokens = 64, max = 1, change: object = {}) {
  const windows = { max, overlapTokens: 0 };
  return createHuggingFaceTokenizer({ tokenizerJson: { ...file, ...change }, maxTokens, windows });
}

test("a text and a pair get the special ids of the file", async () => {
  const tokenizer = await create();
  expect(tokenizer.encode("ab c").windows).toEqual([
    { ids: Int32Array.of(0, 3, 4, 5, 6, 1), secondStart: 6 },
  ]);
  expect(tokenizer.encode("a", "ab").windows).toEqual([
    { ids: Int32Array.of(0, 3, 1, 1, 3, 4, 1), secondStart: 7 },
  ]);
});

test("special tokens in a text are found as they are written", async () => {
  const [window] = (await create()).encode("a</s>").windows;
  expect([...(window?.ids ?? [])]).toEqual([0, 3, 1, 1]);
});

test("a text with more characters than the windows can hold counts as truncated", async () => {
  const tokenizer = await create(8, 2);
  const unknown = "x".repeat(20_000);
  expect(tokenizer.encode(unknown)).toEqual({
    windows: [{ ids: Int32Array.of(0, 5, 2, 1), secondStart: 4 }],
    truncated: false,
  });
  expect(tokenizer.encode(`${unknown}x`).truncated).toBe(true);
  expect(tokenizer.encode("a", `${unknown}x`).truncated).toBe(true);
});

test("a text without ids becomes one id where the file puts nothing around it", async () => {
  const tokenizer = await create(64, 1, { post_processor: null });
  expect(tokenizer.encode("").windows[0]?.ids).toEqual(Int32Array.of(0));
});

test("marks in the wrong order, 100,000 of them, take bounded time", async () => {
  const tokenizer = await create(512, 8);
  const startMs = performance.now();
  expect(tokenizer.encode("\u0301\u0327".repeat(50_000)).truncated).toBe(true);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});

const byteFallback = { ...file.model, byte_fallback: true };
const bpe = { type: "BPE", vocab: { a: 0, b: 1, ab: 2, "<s>": 3, "</s>": 4 }, merges: ["a b"] };

test.each([
  [{ normalizer: { type: "Rot13" } }, "normalizer.type"],
  [{ pre_tokenizer: { type: "Split", pattern: { Regex: "(" }, behavior: "Removed" } }, "pattern"],
  [{ pre_tokenizer: { type: "Split", pattern: {}, behavior: "Removed" } }, "String or a Regex"],
  [{ model: { ...file.model, unk_id: null } }, "unk_id"],
  [{ model: { ...bpe, merges: undefined, type: "Whatever" } }, "model.type"],
  [{ model: { ...bpe, dropout: 0.1 }, post_processor: null, added_tokens: [] }, "dropout"],
  [{ model: { ...bpe, merges: 3 }, post_processor: null, added_tokens: [] }, "merges"],
  [{ model: { ...bpe, vocab: {} } }, "no entries"],
  [{ model: { ...bpe, vocab: { a: 1, b: 1 } } }, "two entries"],
  [{ model: { ...bpe, vocab: { a: -1 } } }, "whole number"],
  [{ model: { ...bpe, vocab: { a: 2 ** 31 } } }, "whole number"],
  [{ model: { ...bpe, vocab: "a" } }, "must be an object"],
  [{ model: { ...byteFallback, vocab: [["a", "b"]] } }, "a token and its score"],
])("refuses what it cannot read as the file means it, %j", async (change, problem) => {
  await expect(create(64, 1, change)).rejects.toThrow(problem);
});

test("neighbouring unknown parts of one word are one, where the file says so", async () => {
  const parts = { normalizer: null, pre_tokenizer: { type: "WhitespaceSplit" }, added_tokens: [] };
  const model = { ...bpe, vocab: { ...bpe.vocab, "?": 5 }, unk_token: "?" };
  const change = { ...parts, post_processor: null };
  const fused = await create(64, 1, { ...change, model: { ...model, fuse_unk: true } });
  expect([...(fused.encode("abxyxab xy x").windows[0]?.ids ?? [])]).toEqual([2, 5, 2, 5, 5]);
  const single = await create(64, 1, { ...change, model });
  expect([...(single.encode("abxy").windows[0]?.ids ?? [])]).toEqual([2, 5, 5]);
});

test("added tokens that count after normalization are normalized themselves", async () => {
  const token = { id: 7, content: "ＮＡＭＥ", special: false, normalized: true };
  const tokenizer = await create(64, 1, { added_tokens: [...file.added_tokens, token] });
  expect([...(tokenizer.encode("a NAME").windows[0]?.ids ?? [])]).toEqual([0, 3, 5, 7, 1]);
});
