import { expect, test } from "vitest";
import { createPreTokenizer } from "./create-pre-tokenizer.ts";

const literal = (pattern: unknown) => new RegExp(Object.values(pattern as object).join(""), "gu");

function cut(preTokenizer: unknown, text: string, isFirst = true): readonly string[] {
  return createPreTokenizer(preTokenizer, literal)(text, isFirst);
}

test("without one, a text is one word", () => {
  expect(cut(null, "a b")).toEqual(["a b"]);
});

test("Whitespace keeps letters of every script together, WhitespaceSplit everything", () => {
  expect(cut({ type: "Whitespace" }, "Zoë's 好_1, ok!?")).toEqual([
    "Zoë",
    "'",
    "s",
    "好_1",
    ",",
    "ok",
    "!?",
  ]);
  expect(cut({ type: "WhitespaceSplit" }, "a's\u0085b\u3000c")).toEqual(["a's", "b", "c"]);
});

test("punctuation stands alone sign by sign, unless the file says otherwise", () => {
  expect(cut({ type: "Punctuation" }, "a!?b")).toEqual(["a", "!", "?", "b"]);
  expect(cut({ type: "Punctuation", behavior: "Contiguous" }, "a!?b")).toEqual(["a", "!?", "b"]);
  expect(cut({ type: "BertPreTokenizer" }, "a$b 。c")).toEqual(["a", "$", "b", "。", "c"]);
});

test("digits are those of every script", () => {
  expect(cut({ type: "Digits" }, "a12٣b")).toEqual(["a", "12٣", "b"]);
  expect(cut({ type: "Digits", individual_digits: true }, "a12")).toEqual(["a", "1", "2"]);
});

test("ByteLevel cuts as GPT-2 does and writes bytes as characters", () => {
  expect(cut({ type: "ByteLevel" }, "it's 好  5")).toEqual(["it", "'s", "Ġå¥½", "Ġ", "Ġ5"]);
  expect(cut({ type: "ByteLevel", add_prefix_space: true }, "a b")).toEqual(["Ġa", "Ġb"]);
  expect(cut({ type: "ByteLevel", use_regex: false }, "a b")).toEqual(["aĠb"]);
});

test("Metaspace puts its mark for blanks, and before the first word as the file says", () => {
  const words = (scheme: string, isFirst: boolean) =>
    cut({ type: "Metaspace", replacement: "▁", prepend_scheme: scheme }, "a  b", isFirst);
  expect(words("always", false)).toEqual(["▁a", "▁", "▁b"]);
  expect(words("first", true)).toEqual(["▁a", "▁", "▁b"]);
  expect(words("first", false)).toEqual(["a", "▁", "▁b"]);
  expect(words("never", true)).toEqual(["a", "▁", "▁b"]);
  expect(cut({ type: "Metaspace", split: false }, "a b")).toEqual(["▁a▁b"]);
  expect(cut({ type: "Metaspace", add_prefix_space: false }, "a b")).toEqual(["a", "▁b"]);
});

test("in a sequence, only what stands at the beginning of all is first", () => {
  const pretokenizers = [
    { type: "WhitespaceSplit" },
    { type: "Metaspace", prepend_scheme: "first" },
  ];
  expect(cut({ type: "Sequence", pretokenizers }, "a b")).toEqual(["▁a", "b"]);
  expect(cut({ type: "Sequence", pretokenizers }, " a b")).toEqual(["a", "b"]);
});

test("a delimiter vanishes, a pattern does as it is told", () => {
  expect(cut({ type: "CharDelimiterSplit", delimiter: "-" }, "a-b")).toEqual(["a", "b"]);
  const split = { type: "Split", pattern: { String: "-" }, invert: false };
  expect(cut({ ...split, behavior: "MergedWithPrevious" }, "a-b")).toEqual(["a-", "b"]);
});

test.each([
  [{ type: "UnicodeScripts" }, '"UnicodeScripts" is not supported'],
  [{ type: "Sequence", pretokenizers: null }, "must be an array"],
  [{ type: "Split", pattern: { String: "-" }, behavior: "Lost" }, "behavior must be one of"],
  [{ type: "Metaspace", replacement: "ab" }, "must be one character"],
  [{ type: "Metaspace", prepend_scheme: "often" }, "always, first or never"],
  [7, "must be an object"],
])("refuses %j", (preTokenizer, problem) => {
  expect(() => cut(preTokenizer, "")).toThrow(problem);
});
