import { expect, test } from "vitest";
import { createAddedTokenSplitter } from "./split-added-tokens.ts";

const PLAIN = { isSingleWord: false, takesBlanksBefore: false, takesBlanksAfter: false };
const split = createAddedTokenSplitter([
  { id: 1, content: "<a>", ...PLAIN },
  { id: 2, content: "<a>b", ...PLAIN },
  { id: 3, content: "word", ...PLAIN, isSingleWord: true },
  { id: 4, content: "<l>", ...PLAIN, takesBlanksBefore: true },
  { id: 5, content: "<r>", ...PLAIN, takesBlanksAfter: true },
]);

test("added tokens are found between texts, the longest at a place", () => {
  expect(split("x<a>y<a>b<a>")).toEqual(["x", 1, "y", 2, 1]);
  expect(split("")).toEqual([]);
  expect(split("<a")).toEqual(["<a"]);
});

test("a token for whole words is none in a longer word of any script", () => {
  expect(split("word words aword wordß 好word _word -word-")).toEqual([
    3,
    " words aword wordß 好word _word -",
    3,
    "-",
  ]);
});

test("blanks go with a token that takes them, but none that another took", () => {
  expect(split("a \t<l> b")).toEqual(["a", 4, " b"]);
  expect(split("a <r>\u3000 b")).toEqual(["a ", 5, "b"]);
  expect(split("<r>  <l>")).toEqual([5, 4]);
});
