import { expect, test } from "vitest";
import type { RetryBudget } from "./retry-budget.ts";
import {
  BUDGET_SECONDS,
  countRequest,
  countRetry,
  EMPTY_BUDGET,
  isRetryAllowed,
} from "./retry-budget.ts";

/** How many retries are allowed after `requests` requests at `nowMs`. */
function spendAll(budget: RetryBudget, nowMs: number, retryShare: number, floor: number): number {
  let left = budget;
  let retries = 0;
  const limits = { retryShare, minRetriesPerSecond: floor };
  while (retries < 10_000 && isRetryAllowed(left, nowMs, limits)) {
    left = countRetry(left, nowMs);
    retries++;
  }
  return retries;
}

function requestsAt(budget: RetryBudget, nowMs: number, requests: number): RetryBudget {
  let counted = budget;
  for (let i = 0; i < requests; i++) counted = countRequest(counted, nowMs);
  return counted;
}

test("retries are a share of the recent requests", () => {
  expect(spendAll(requestsAt(EMPTY_BUDGET, 0, 100), 0, 0.2, 0)).toBe(20);
});

test("a small floor is allowed whatever the requests", () => {
  expect(spendAll(EMPTY_BUDGET, 0, 0.2, 1)).toBe(BUDGET_SECONDS);
  expect(spendAll(requestsAt(EMPTY_BUDGET, 0, 50), 0, 0.2, 1)).toBe(20);
});

test("requests and retries are forgotten after ten seconds", () => {
  let budget = requestsAt(EMPTY_BUDGET, 500, 100);
  for (let i = 0; i < 20; i++) budget = countRetry(budget, 700);
  expect(spendAll(budget, 9_900, 0.2, 0)).toBe(0);
  budget = requestsAt(budget, 9_900, 10);
  expect(spendAll(budget, 9_900, 0.2, 0)).toBe(2);
  expect(spendAll(budget, 10_100, 0.2, 0)).toBe(2);
  expect(spendAll(budget, 30_000, 0.2, 0)).toBe(0);
});

test("a budget never holds more than the seconds that it looks back", () => {
  let budget = EMPTY_BUDGET;
  for (let second = 0; second < 100; second++) budget = countRequest(budget, second * 1_000);
  expect(budget).toHaveLength(BUDGET_SECONDS);
});
