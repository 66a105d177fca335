import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createAuthenticator } from "./authenticate.ts";

const NOW_MS = Date.parse("2026-01-01T00:00:00Z");
const keys = [
  { id: "shop", sha256: hash("sha256", "slc_shop", "hex"), rateLimitRequests: 5 },
  { id: "past", sha256: hash("sha256", "slc_past", "hex"), expiresAt: "2026-01-01T00:00:00Z" },
  { id: "large", sha256: hash("sha256", "slc_large", "hex"), weight: 4 },
  { id: "future", sha256: hash("sha256", "slc_future", "hex"), expiresAt: "2026-01-01T00:00:01Z" },
];
const open = createAuthenticator({ keys, required: false, epochMs: () => NOW_MS });
const closed = createAuthenticator({ keys, required: true, epochMs: () => NOW_MS });

describe("callers with a key", () => {
  test("are known by it, whichever header brings it and wherever they call from", () => {
    const expected = { id: "key:shop", rateLimitRequests: 5, weight: 1 };
    expect(closed({ authorization: "Bearer slc_shop" }, "10.0.0.1")).toEqual(expected);
    expect(closed({ authorization: "bearer  slc_shop" }, "10.0.0.2")).toEqual(expected);
    expect(closed({ "x-api-key": "slc_shop" }, "10.0.0.3")).toEqual(expected);
  });

  test("have the share of a busy model that their key says, and one without a word", () => {
    expect(closed({ "x-api-key": "slc_large" }, "a").weight).toBe(4);
    expect(open({}, "a").weight).toBe(1);
  });

  test("are refused from the moment the key expires", () => {
    expect(closed({ "x-api-key": "slc_future" }, "a").id).toBe("key:future");
    expect(() => closed({ "x-api-key": "slc_past" }, "a")).toThrow("expired");
  });

  test("are refused with a wrong key even where none is needed", () => {
    expect(() => open({ "x-api-key": "slc_wrong" }, "a")).toThrow("not known");
    expect(() => open({ authorization: "Basic c2hvcA==" }, "a")).toThrow("bearer");
    expect(() => open({ "x-api-key": keys[0]?.sha256 ?? "" }, "a")).toThrow("not known");
  });
});

test("a server that has no keys and needs none ignores those that clients always send", () => {
  const keyless = createAuthenticator({ keys: [], required: false, epochMs: () => NOW_MS });
  expect(keyless({ authorization: "Bearer anything" }, "10.0.0.1").id).toBe("address:10.0.0.1");
  const strict = createAuthenticator({ keys: [], required: true, epochMs: () => NOW_MS });
  expect(() => strict({ authorization: "Bearer anything" }, "10.0.0.1")).toThrow("not known");
});

describe("callers without a key", () => {
  test("are refused where one is needed, with the way to send it", () => {
    expect(() => closed({}, "10.0.0.1")).toThrow(/Authorization: Bearer/);
  });

  test.each([
    ["10.0.0.1", "address:10.0.0.1"],
    ["::ffff:10.0.0.1", "address:::ffff:10.0.0.1"],
    ["2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "address:2001:db8:1:2::/64"],
    ["2001:db8::1", "address:2001:db8:0:0::/64"],
    ["::1", "address:0:0:0:0::/64"],
  ])("from %s share the allowance of %s", (address, id) => {
    expect(open({}, address).id).toBe(id);
  });
});
