import { expect, test } from "vitest";
import { assertKeyAllowed } from "./allowed-keys.ts";

test("a key that is named may, by its id alone", () => {
  expect(assertKeyAllowed({ id: "key:ops" }, ["shop", "ops"], "a.keys")).toBe("key:ops");
});

test("everybody may where none is named", () => {
  expect(assertKeyAllowed({ id: "address:127.0.0.1" }, [], "a.keys")).toBe("address:127.0.0.1");
});

test.each([[undefined], [{ id: "key:shop" }], [{ id: "ops" }], [{ id: "address:ops" }]])(
  "nobody else may: %j",
  (caller) => {
    const message = "This key may only look; the setting a.keys names those that may more.";
    expect(() => assertKeyAllowed(caller, ["ops"], "a.keys")).toThrow(message);
  },
);
