import { expect, test } from "vitest";
import { toRequestIdentity } from "./request-identity.ts";

test("a caller with a key is known by its id, and every header by its name", () => {
  const headers = { "x-user": "u1", accept: ["a", "b"], missing: undefined };
  const identity = toRequestIdentity("r1", { id: "key:shop" }, headers);
  expect(identity).toMatchObject({ requestId: "r1", caller: "key:shop", keyId: "shop" });
  expect([...identity.headers]).toEqual([
    ["x-user", "u1"],
    ["accept", "a, b"],
  ]);
  expect(toRequestIdentity("r1", { id: "address:::1" }, {}).keyId).toBeNull();
});

test.each([
  ["a=1; b=two words; c=", { a: "1", b: "two words", c: "" }],
  ['a="quoted"; a=second', { a: "quoted" }],
  ["no value; =no name; ;;a=b=c", { a: "b=c" }],
  ["", {}],
])("cookies: %s", (cookie, expected) => {
  const { cookies } = toRequestIdentity("r", { id: "x" }, { cookie });
  expect(Object.fromEntries(cookies)).toEqual(expected);
});
