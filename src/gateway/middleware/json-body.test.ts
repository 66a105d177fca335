import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJsonBody } from "./json-body.ts";

const parse = (text: string, maxDepth = 8) => parseJsonBody(Buffer.from(text), maxDepth);

test("any JSON value comes out as it went in", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), (text) => {
      expect(parse(text, 100)).toEqual(JSON.parse(text));
    }),
  );
});

test("depth counts brackets and braces together, outside strings only", () => {
  expect(parse(`${"[".repeat(8)}${"]".repeat(8)}`)).toBeDefined();
  expect(() => parse(`${"[".repeat(9)}${"]".repeat(9)}`)).toThrow("more than 8 deep");
  expect(() => parse(`${'{"a":['.repeat(5)}1${"]}".repeat(5)}`)).toThrow("more than 8 deep");
  const harmless = JSON.stringify({ text: `${"[{".repeat(50)}\\"${"[".repeat(50)}` });
  expect(parse(harmless)).toEqual(JSON.parse(harmless));
  const wide = JSON.stringify({ texts: Array.from({ length: 50 }, () => ({})) });
  expect(parse(wide)).toEqual(JSON.parse(wide));
});

test.each([
  ["", "empty"],
  ["{", "not valid JSON"],
  ['{"text": "my secret" oops}', "not valid JSON"],
])("%j is refused", (text, reason) => {
  expect(() => parse(text)).toThrow(reason);
});

test("the reason never repeats what was sent", () => {
  try {
    parse('{"text": "my secret" oops}');
    expect.unreachable();
  } catch (error) {
    expect(String(error)).not.toContain("secret");
  }
});

test("bytes that are not UTF-8 are refused", () => {
  expect(() => parseJsonBody(Buffer.from([0x22, 0xc3, 0x28, 0x22]), 8)).toThrow("UTF-8");
});
