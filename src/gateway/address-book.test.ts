import { expect, test } from "vitest";
import { encodeError } from "../protocols/native/encode-error.ts";
import { createAddressBook } from "./address-book.ts";
import type { Route } from "./route.ts";

const strange = () => ({ status: 418, body: "" });
const route = (method: "GET" | "POST", path: string, encode = encodeError): Route => ({
  method,
  path,
  access: "caller",
  schema: {},
  encodeError: encode,
  handle: () => ({ status: 200, contentType: "", body: "" }),
});
const find = createAddressBook(
  [
    route("POST", "/classify"),
    route("GET", "/v2/models/:model", strange),
    route("POST", "/v2/models/:model/infer", strange),
    route("GET", "/v1/models/*", strange),
  ],
  [{ prefix: "/v2", encodeError: strange }],
);

test("an address that answers another method is known with that method and its own words", () => {
  expect(find("/classify")).toEqual({ methods: ["POST"], encodeError });
  expect(find("/v2/models/reviews/infer")).toEqual({ methods: ["POST"], encodeError: strange });
  expect(find("/v2/models/reviews/")).toEqual({ methods: ["GET"], encodeError: strange });
  expect(find("/v1/models/a/b/c:d").methods).toEqual(["GET"]);
});

test("an address where nothing is belongs to the protocol that it lies below", () => {
  expect(find("/v2/nothing")).toEqual({ methods: [], encodeError: strange });
  expect(find("/v2")).toEqual({ methods: [], encodeError: strange });
  expect(find("/v2x")).toEqual({ methods: [], encodeError });
  expect(find("/nothing")).toEqual({ methods: [], encodeError });
});
