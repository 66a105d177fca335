import { expect, test } from "vitest";
import { describeWithData, readData } from "../../../test/support/shared-data.ts";
import { locateJsonError } from "./locate-json-error.ts";

test.each([
  ["a comma too many", '{\n  "a": 1,\n}', 3, 1],
  ["a comma too few", '{\n  "a": 1\n  "b": 2\n}', 3, 3],
  ["a key without quotes", "{a: 1}", 1, 2],
  ["a value that is none", '{"a": NaN}', 1, 7],
  ["a comment", '{\n  // no\n  "a": 1}', 2, 3],
  ["another bracket than the open one", '{"a": [1}', 1, 9],
  ["something after the end", "{} {}", 1, 4],
  ["a string that does not end", '{"a": "b', 1, 7],
  ["a number with a zero first", "[01]", 1, 3],
  ["an end that came too early", '{"a": [1,\n', 2, 1],
])("%s is found", (_name, text, line, column) => {
  expect(() => JSON.parse(text)).toThrow();
  expect(locateJsonError(text)).toEqual({ line, column });
});

const CASES = "json_parsing_tests/cases.jsonl";

describeWithData("JSON parsing cases", [CASES], () => {
  test("what stands before the place lacks nothing but its continuation", () => {
    const texts = readData(CASES)
      .trim()
      .split("\n")
      .map((line) => Buffer.from(JSON.parse(line).base64, "base64").toString("utf8"));
    const refused = texts.filter((text) => !isJson(text));
    expect(refused.length).toBeGreaterThan(150);
    for (const text of refused) {
      const place = locateJsonError(text);
      const lines = text.split("\n").slice(0, place.line);
      const before = [...lines.slice(0, -1), lines.at(-1)?.slice(0, place.column - 1)].join("\n");
      if (!isJson(before)) expect(locateJsonError(before)).toEqual(place);
    }
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
