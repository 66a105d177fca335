import { expect, test } from "vitest";
import type { ErrorCode } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import { encodeError } from "./encode-error.ts";

test.each([
  ["invalid_argument", 422, "Validation"],
  ["too_large", 413, "Validation"],
  ["not_found", 404, "Validation"],
  ["rate_limited", 429, "Overloaded"],
  ["overloaded", 429, "Overloaded"],
  ["unavailable", 503, "Unhealthy"],
  ["model_failed", 424, "Backend"],
] satisfies [ErrorCode, number, string][])("%s is %d %s", (code, status, type) => {
  expect(encodeError(new SluiceError(code, "No."), "id-1")).toEqual({
    status,
    body: JSON.stringify({ error: "No.", error_type: type }),
  });
});

test("a missing or wrong key is 401 without a body, nor a type of one", () => {
  const error = new SluiceError("unauthenticated", "No key.");
  expect(encodeError(error, "id-1")).toEqual({ status: 401, body: "", contentType: "" });
});

test.each([
  ["body", 400, "Validation"],
  ["model", 424, "Backend"],
  ["inputs", 422, "Validation"],
])("what is wrong with %s is %d %s", (field, status, type) => {
  const details = [{ field, problem: "is wrong" }];
  const encoded = encodeError(new SluiceError("invalid_argument", "No.", { details }), "id-1");
  expect(encoded.status).toBe(status);
  expect(JSON.parse(encoded.body).error_type).toBe(type);
});
