import { expect, test } from "vitest";
import { findLeaks } from "./find-leaks.ts";
import { toTextKey } from "./text-key.ts";

test("texts are the same without case, blanks, punctuation and width", () => {
  expect(toTextKey("It's  GREAT !")).toBe(toTextKey("its great"));
  expect(toTextKey("很 好。")).toBe(toTextKey("很好"));
  expect(toTextKey("ＯＫ")).toBe(toTextKey("ok"));
});

test("texts of punctuation or emoji alone keep it", () => {
  expect(toTextKey("?!")).not.toBe(toTextKey("..."));
  expect(toTextKey("👍")).not.toBe(toTextKey("👎"));
});

test("leaks are the test texts whose key was trained on", () => {
  const report = findLeaks(["Good film!", "bad"], ["good film", "better film"]);
  expect(report).toEqual({ testCount: 2, leaks: ["good film"] });
});
