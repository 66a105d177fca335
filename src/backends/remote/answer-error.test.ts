import { expect, test } from "vitest";
import { toGrpcError, toHttpError } from "./answer-error.ts";

function answer(status: number, body: string, headers: Readonly<Record<string, string>> = {}) {
  return toHttpError({ status, headers, body: Buffer.from(body) });
}

test("what a server says about a request passes through with its words", () => {
  expect(answer(400, '{"error":"wrong shape"}')).toMatchObject({
    code: "invalid_argument",
    message: "wrong shape",
  });
  expect(answer(422, '{"detail":"no field"}')).toMatchObject({
    code: "invalid_argument",
    message: "no field",
  });
  expect(answer(429, '{"error":{"message":"busy"}}', { "retry-after": "3" })).toMatchObject({
    code: "overloaded",
    message: "busy",
    retryAfterMs: 3_000,
  });
});

test("a model that failed is told from a proxy that found no server", () => {
  expect(answer(502, '{"error":"the model failed"}').code).toBe("model_failed");
  expect(answer(502, "<html>Bad Gateway</html>").code).toBe("unavailable");
  expect(answer(500, "").code).toBe("model_failed");
});

test("servers that have no such model, drain or send elsewhere may be replaced by another", () => {
  for (const status of [302, 404, 503, 599]) expect(answer(status, "").code).toBe("unavailable");
});

test("that a server does not know us is not the caller's credential problem", () => {
  for (const status of [401, 403]) {
    expect(answer(status, '{"error":"who are you"}')).toMatchObject({
      code: "model_failed",
      message: "The model's server does not accept this server's credentials.",
    });
  }
  expect(toGrpcError(16, "who are you").code).toBe("model_failed");
});

test("words are cut, and bodies of any kind are read without harm", () => {
  expect(answer(400, JSON.stringify({ error: "x".repeat(9_000) })).message).toHaveLength(501);
  for (const body of ["", "null", "[]", '{"error":7}', "{", '{"error":{"message":[]}}']) {
    expect(answer(418, body)).toMatchObject({
      code: "invalid_argument",
      message: "The model's server answered 418.",
    });
  }
});

test("statuses of gRPC mean the same", () => {
  const codes = [3, 4, 5, 8, 11, 12, 13, 14, 99].map((status) => toGrpcError(status, "x").code);
  expect(codes).toEqual([
    "invalid_argument",
    "deadline_exceeded",
    "unavailable",
    "overloaded",
    "invalid_argument",
    "model_failed",
    "model_failed",
    "unavailable",
    "model_failed",
  ]);
});
