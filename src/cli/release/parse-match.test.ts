import { expect, test } from "vitest";
import { parseMatch } from "./parse-match.ts";

test("each --match adds one way to recognise requests", () => {
  const first = parseMatch("header:X-Team=blue");
  const second = parseMatch("cookie:group=a=b", first);
  expect(parseMatch("key=team-a", second)).toEqual([
    { source: "header", name: "X-Team", value: "blue" },
    { source: "cookie", name: "group", value: "a=b" },
    { source: "key", name: null, value: "team-a" },
  ]);
});

test.each(["", "header:X-Team", "header:=blue", "key:a=b", "color=blue", "header:X-Team="])(
  "%o is no such way",
  (text) => {
    expect(() => parseMatch(text)).toThrow("Expected header:<name>=<value>");
  },
);
