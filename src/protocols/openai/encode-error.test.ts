import { expect, test } from "vitest";
import type { ErrorCode } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import { encodeError } from "./encode-error.ts";
import { toModelList } from "./to-model-card.ts";

test.each([
  ["unauthenticated", 401, "authentication_error", "invalid_api_key"],
  ["rate_limited", 429, "rate_limit_error", "rate_limit_exceeded"],
  ["overloaded", 429, "rate_limit_error", "overloaded"],
  ["unavailable", 503, "server_error", "unavailable"],
] satisfies [ErrorCode, number, string, string][])("%s is %d %s", (code, status, type, kind) => {
  const encoded = encodeError(new SluiceError(code, "No."), "id-1");
  expect(encoded.status).toBe(status);
  expect(JSON.parse(encoded.body)).toEqual({
    error: { message: "No.", type, param: null, code: kind },
  });
});

test("a model that does not exist has the code that clients know for it; another address has none", () => {
  const details = [{ field: "model", problem: "Available: a." }];
  const codeOf = (error: SluiceError) => JSON.parse(encodeError(error, "id-1").body).error.code;
  expect(codeOf(new SluiceError("not_found", "No.", { details }))).toBe("model_not_found");
  expect(codeOf(new SluiceError("not_found", "No."))).toBeNull();
});

test("a list of models is a page of cards", () => {
  expect(toModelList([{ name: "reviews", createdSeconds: 1_700_000_000.7 }])).toEqual({
    object: "list",
    data: [{ id: "reviews", object: "model", created: 1_700_000_000, owned_by: "sluice" }],
  });
});
