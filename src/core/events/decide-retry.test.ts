import { expect, test } from "vitest";
import type { DeliveryOutcome } from "../ports/event-destination.ts";
import { decideRetry } from "./decide-retry.ts";

const POLICY = {
  maxAttempts: 5,
  baseDelayMs: 1000,
  maxDelayMs: 6000,
  maxRetryAfterMs: 60_000,
};

const failed = (more: Partial<DeliveryOutcome & { kind: "failed" }> = {}): DeliveryOutcome => ({
  kind: "failed",
  reason: "answered 500",
  isFinal: false,
  retryAfterMs: undefined,
  ...more,
});

test("what was delivered is settled", () => {
  expect(decideRetry(1, { kind: "delivered" }, 0.5, POLICY)).toEqual({ kind: "settle" });
});

test("the longest wait doubles up to its limit, and any part of it may be waited", () => {
  const longest = [1, 2, 3, 4].map((attempt) => decideRetry(attempt, failed(), 0.999999, POLICY));
  expect(longest).toEqual([1000, 2000, 4000, 6000].map((delayMs) => ({ kind: "retry", delayMs })));
  expect(decideRetry(3, failed(), 0, POLICY)).toEqual({ kind: "retry", delayMs: 0 });
  expect(decideRetry(3, failed(), 0.25, POLICY)).toEqual({ kind: "retry", delayMs: 1000 });
});

test("the last attempt that fails is given up with its reason", () => {
  const reason = "answered 500 (attempt 5 of 5)";
  expect(decideRetry(5, failed(), 0.5, POLICY)).toEqual({ kind: "giveUp", reason });
});

test("what is final is given up at the first attempt", () => {
  const outcome = failed({ isFinal: true, reason: "answered 410" });
  expect(decideRetry(1, outcome, 0.5, POLICY)).toEqual({ kind: "giveUp", reason: "answered 410" });
});

test("a receiver that names a time is not asked earlier, but names no longer one than allowed", () => {
  const after = (retryAfterMs: number) => decideRetry(1, failed({ retryAfterMs }), 0.5, POLICY);
  expect(after(30_000)).toEqual({ kind: "retry", delayMs: 30_000 });
  expect(after(100)).toEqual({ kind: "retry", delayMs: 500 });
  expect(after(9e12)).toEqual({ kind: "retry", delayMs: 60_000 });
  expect(after(-5)).toEqual({ kind: "retry", delayMs: 500 });
});

test("a thousandth attempt has a finite wait", () => {
  const decision = decideRetry(1999, failed(), 0.999999, { ...POLICY, maxAttempts: 10_000 });
  expect(decision).toEqual({ kind: "retry", delayMs: 6000 });
});
