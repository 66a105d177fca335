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
  const unknown = "x".repeat(16 * 8 * 2);
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
