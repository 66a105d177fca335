import { expect, test } from "vitest";
import { createUnigramReader } from "./unigram-model.ts";

function read(
  word: string,
  vocabulary: readonly (readonly [string, number])[],
  usesBytes = false,
): string {
  const ids: number[] = [];
  createUnigramReader({ vocabulary, unknownId: 0, usesBytes })(word, ids);
  return ids.map((id) => vocabulary[id]?.[0]).join(" ");
}

test("the most likely tokens are taken, not the longest", () => {
  expect(
    read("abc", [
      ["?", 0],
      ["ab", -5],
      ["c", -5],
      ["a", -1],
      ["bc", -1],
    ]),
  ).toBe("a bc");
});

test("of ways that are exactly as likely, the one whose last token is longer stays", () => {
  expect(
    read("000", [
      ["?", 0],
      ["0", -2],
      ["00", -3],
    ]),
  ).toBe("0 00");
});

test("neighbouring unknown characters are one unknown token, characters of two units too", () => {
  expect(
    read("a😀好b好", [
      ["?", 0],
      ["a", -1],
      ["b", -1],
    ]),
  ).toBe("a ? b ?");
});

test("unknown characters become their bytes where the vocabulary has all of them", () => {
  const bytes = [
    ["?", 0],
    ["<0xC3>", -9],
    ["<0xA9>", -9],
    ["e", -1],
  ] as const;
  expect(read("eé", bytes, true)).toBe("e <0xC3> <0xA9>");
  expect(read("eü", bytes, true)).toBe("e ?");
});

test("an empty word has no tokens", () => {
  expect(read("", [["?", 0]])).toBe("");
});

test("tokens keep apart that share beginnings, thousands of them", () => {
  const words = Array.from({ length: 6_000 }, (_, i) => i.toString(7));
  const vocabulary = [["?", 0], ...words.map((word) => [word, -1] as const)] as const;
  for (const word of words) expect(read(word, vocabulary)).toBe(word);
});
