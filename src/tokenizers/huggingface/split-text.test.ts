import { expect, test } from "vitest";
import type { SplitBehavior } from "./split-text.ts";
import { splitText } from "./split-text.ts";

function split(behavior: SplitBehavior, text = "-a--b-", invert = false): readonly string[] {
  return splitText(text, { pattern: /-/g, behavior, invert });
}

test("matches stay alone, vanish, or join a neighbour", () => {
  expect(split("Isolated")).toEqual(["-", "a", "-", "-", "b", "-"]);
  expect(split("Removed")).toEqual(["a", "b"]);
  expect(split("MergedWithPrevious")).toEqual(["-", "a-", "-", "b-"]);
  expect(split("MergedWithNext")).toEqual(["-a", "-", "-b", "-"]);
  expect(split("Contiguous")).toEqual(["-", "a", "--", "b", "-"]);
});

test("inverted, what lies between the matches counts as the matches", () => {
  expect(split("Removed", "-a--b-", true)).toEqual(["-", "-", "-", "-"]);
  expect(split("MergedWithPrevious", "-a-", true)).toEqual(["-a", "-"]);
});

test("an empty text has no pieces, and a text without matches is one", () => {
  expect(split("Isolated", "")).toEqual([]);
  expect(split("Contiguous", "ab")).toEqual(["ab"]);
});

test("a pattern that matches nothing at all cuts nothing off", () => {
  const pattern = /x*/g;
  expect(splitText("ab", { pattern, behavior: "Isolated", invert: false }).join("")).toBe("ab");
});
