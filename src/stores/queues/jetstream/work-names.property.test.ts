import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeId, encodeId, readWorkSubject, toToken, toWorkNames } from "./work-names.ts";

const ids = fc.string({ unit: "binary", maxLength: 300 }).map((id) => id.toWellFormed());

test("an id comes back from its header, and its token is one short word of a subject", () => {
  fc.assert(
    fc.property(ids, (id) => {
      expect(decodeId(encodeId(id))).toBe(id);
      expect(toToken(id)).toMatch(/^[A-Za-z0-9_=-]{1,250}$/);
    }),
  );
});

test("two ids have two tokens", () => {
  fc.assert(fc.property(ids, ids, (a, b) => (toToken(a) === toToken(b)) === (a === b)));
  expect(toToken("a.b")).toBe("a=2eb");
  expect(toToken("a=2eb")).toBe("a=3d2eb");
  expect(toToken("x".repeat(400))).not.toBe(toToken("x".repeat(401)));
});

test("a subject tells its lane and token", () => {
  const { workSubject, workStream, deadStream } = toWorkNames("my.own");
  expect(readWorkSubject(workSubject("low", "a=2eb"))).toEqual({ lane: "low", token: "a=2eb" });
  expect([workStream, deadStream]).toEqual(["MY-OWN-WORK", "MY-OWN-DEAD"]);
});
