import { expect, test } from "vitest";
import { createAddedTokenFinder } from "./added-token-finder.ts";

const tokens = ["[A]", "[A]!", "<b>", "[AA]"].map((content, id) => ({ id, content }));
const find = createAddedTokenFinder(tokens);

test("the first place counts, and there the longest token", () => {
  expect(find("x<b>[A]", 0)).toEqual({ at: 1, token: tokens[2] });
  expect(find("x[A]!<b>", 0)).toEqual({ at: 1, token: tokens[1] });
  expect(find("[[A[AA]", 0)).toEqual({ at: 3, token: tokens[3] });
});

test("what stands before the place to start from does not count", () => {
  expect(find("[A] <b>", 1)).toEqual({ at: 4, token: tokens[2] });
  expect(find("[A] <b>", 5)).toBeUndefined();
});

test("a text without any has none, and so has every text where there are no added tokens", () => {
  expect(find("[a] <B> [", 0)).toBeUndefined();
  expect(createAddedTokenFinder([])("[A]", 0)).toBeUndefined();
});
