import { expect, test } from "vitest";
import { createWindowedTokenizer } from "./create-windowed-tokenizer.ts";
import type { SequenceTemplate } from "./sequence-template.ts";

const BERT: SequenceTemplate = {
  single: { before: [101], after: [102] },
  pair: { before: [101], between: [102], after: [102], firstOfBetween: 1 },
};
const ROBERTA: SequenceTemplate = {
  single: { before: [0], after: [2] },
  pair: { before: [0], between: [2, 2], after: [2], firstOfBetween: undefined },
};
const NOTHING: SequenceTemplate = {
  single: { before: [], after: [] },
  pair: { before: [], between: [], after: [], firstOfBetween: 0 },
};

/** Reads numbers separated by blanks. */
const readIds = (text: string) => text.split(" ").filter(Boolean).map(Number);

function create(maxTokens: number, max = 1, overlapTokens = 0, template = BERT) {
  const windows = { max, overlapTokens };
  return createWindowedTokenizer({ maxTokens, windows, template, emptyId: 7, readIds });
}

function encode(tokenizer: ReturnType<typeof create>, text: string, pair?: string) {
  const { windows, truncated } = tokenizer.encode(text, pair);
  return { windows: windows.map(({ ids }) => [...ids]), truncated };
}

test("a text that fits is one window with the special ids around it", () => {
  expect(encode(create(8), "1 2 3 4 5 6")).toEqual({
    windows: [[101, 1, 2, 3, 4, 5, 6, 102]],
    truncated: false,
  });
  expect(create(8).encode("1").windows[0]?.secondStart).toBe(3);
});

test("a longer text is cut off where only one window is allowed, and that is told", () => {
  expect(encode(create(8), "1 2 3 4 5 6 7")).toEqual({
    windows: [[101, 1, 2, 3, 4, 5, 6, 102]],
    truncated: true,
  });
});

test("windows overlap by as many ids as asked for, and the last one ends with the text", () => {
  expect(encode(create(6, 3, 1), "1 2 3 4 5 6 7 8 9")).toEqual({
    windows: [
      [101, 1, 2, 3, 4, 102],
      [101, 4, 5, 6, 7, 102],
      [101, 7, 8, 9, 102],
    ],
    truncated: false,
  });
});

test("a text of exactly all windows is whole; with one id more it is truncated", () => {
  const tokenizer = create(6, 2, 1);
  expect(encode(tokenizer, "1 2 3 4 5 6 7").truncated).toBe(false);
  expect(encode(tokenizer, "1 2 3 4 5 6 7 8")).toEqual({
    windows: [
      [101, 1, 2, 3, 4, 102],
      [101, 4, 5, 6, 7, 102],
    ],
    truncated: true,
  });
});

test("reading may stop at the limit that the windows set", () => {
  const limits: number[] = [];
  const tokenizer = createWindowedTokenizer({
    maxTokens: 6,
    windows: { max: 3, overlapTokens: 1 },
    template: BERT,
    emptyId: 0,
    readIds: (_, limit) => {
      limits.push(limit);
      return [1];
    },
  });
  tokenizer.encode("any");
  expect(limits).toEqual([4 + 2 * 3]);
});

test("a pair has token type 1 from its second text on, or nowhere where models do not tell them apart", () => {
  expect(create(16).encode("1 2", "3").windows).toEqual([
    { ids: Int32Array.of(101, 1, 2, 102, 3, 102), secondStart: 4 },
  ]);
  expect(create(16, 1, 0, ROBERTA).encode("1 2", "3").windows).toEqual([
    { ids: Int32Array.of(0, 1, 2, 2, 2, 3, 2), secondStart: 7 },
  ]);
});

test.each([
  { first: "1 2 3 4", second: "5 6", kept: [101, 1, 2, 3, 102, 5, 6, 102] },
  { first: "1 2", second: "3 4 5 6", kept: [101, 1, 2, 102, 3, 4, 5, 102] },
  { first: "1 2 3", second: "4 5 6", kept: [101, 1, 2, 102, 4, 5, 6, 102] },
  { first: "1 2 3 4", second: "5 6 7", kept: [101, 1, 2, 3, 102, 5, 6, 102] },
  { first: "1 2 3 4 5 6 7", second: "8 9 10 11 12 13", kept: [101, 1, 2, 3, 102, 8, 9, 102] },
])("of a pair that is too long the longer text is cut first: $first | $second", (row) => {
  expect(encode(create(8, 4, 2), row.first, row.second)).toEqual({
    windows: [row.kept],
    truncated: true,
  });
});

test("a text without ids becomes one id where nothing is put around it", () => {
  expect(create(8, 1, 0, NOTHING).encode("").windows).toEqual([
    { ids: Int32Array.of(7), secondStart: 1 },
  ]);
  expect(create(8, 1, 0, NOTHING).encode("", "").windows).toEqual([
    { ids: Int32Array.of(7), secondStart: 1 },
  ]);
});

test("a limit that leaves no room beside the special ids is refused", () => {
  expect(() => create(4)).toThrow("maxTokens must be larger: 4 leaves no room");
});
