import { expect, test } from "vitest";
import { clipText } from "./clip-text.ts";

test("a text of ordinary length and marks stays the same string", () => {
  const text = "cafe\u0301 ".repeat(200);
  expect(clipText(text, 512)).toBe(text);
});

test("a text is cut where its tokens would have to be longer than any language's", () => {
  expect(clipText("x".repeat(100_000), 2_000)).toBe("x".repeat(32_000));
  expect(clipText("x".repeat(100_000), 10)).toBe("x".repeat(20_000));
});

test("no character is cut in half", () => {
  expect(clipText(`x${"😀".repeat(10_000)}`, 10)).toBe(`x${"😀".repeat(9_999)}`);
});

test("of a thousand marks in a row and more, a thousand stay", () => {
  const text = `e${"\u0301".repeat(5_000)}nd`;
  expect(clipText(text, 1_000)).toBe(`e${"\u0301".repeat(1_000)}nd`);
});
