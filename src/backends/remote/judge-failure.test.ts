import { expect, test } from "vitest";
import { ERROR_CODES, SluiceError } from "../../core/errors.ts";
import { judgeFailure } from "./judge-failure.ts";

test("only servers that are not there or late are tried elsewhere", () => {
  const retryable = ERROR_CODES.filter(
    (code) => judgeFailure(new SluiceError(code, "x"), true).isRetryable,
  );
  expect(retryable).toEqual(["deadline_exceeded", "unavailable"]);
});

test("an answer about the request speaks for its endpoint", () => {
  for (const code of ["invalid_argument", "not_found", "overloaded", "rate_limited"] as const) {
    expect(judgeFailure(new SluiceError(code, "x"), true).outcome).toBe("answered");
  }
});

test("being late is the endpoint's fault only when it had all the time there is", () => {
  const late = new SluiceError("deadline_exceeded", "x");
  expect(judgeFailure(late, true).outcome).toBe("failed");
  expect(judgeFailure(late, false).outcome).toBe("unknown");
});
