import type { RemotePoolLimits } from "./remote-pool-options.ts";

/** What happened in one second. */
interface Second {
  readonly second: number;
  readonly requests: number;
  readonly retries: number;
}

/** Requests and retries of the last seconds, oldest first. Values are replaced, never changed. */
export type RetryBudget = readonly Second[];

/** How far the budget looks back. */
export const BUDGET_SECONDS = 10;

export const EMPTY_BUDGET: RetryBudget = [];

type BudgetLimits = Pick<RemotePoolLimits, "retryShare" | "minRetriesPerSecond">;

/** Counts a request, however often it will be sent. Pure. */
export function countRequest(budget: RetryBudget, nowMs: number): RetryBudget {
  return add(budget, nowMs, 1, 0);
}

/** Counts a retry. Ask `isRetryAllowed` first. Pure. */
export function countRetry(budget: RetryBudget, nowMs: number): RetryBudget {
  return add(budget, nowMs, 0, 1);
}

/**
 * Whether one more request may be sent again: when servers fail because they have too much to do, sending everything
 * twice or three times is what keeps them from recovering. Pure.
 */
export function isRetryAllowed(
  budget: RetryBudget,
  nowMs: number,
  { retryShare, minRetriesPerSecond }: BudgetLimits,
): boolean {
  let requests = 0;
  let retries = 0;
  for (const second of dropOld(budget, nowMs)) {
    requests += second.requests;
    retries += second.retries;
  }
  return retries + 1 <= retryShare * requests + minRetriesPerSecond * BUDGET_SECONDS;
}

function add(budget: RetryBudget, nowMs: number, requests: number, retries: number): RetryBudget {
  const second = Math.floor(nowMs / 1_000);
  const last = budget.at(-1);
  if (last === undefined || last.second !== second) {
    return [...dropOld(budget, nowMs), { second, requests, retries }];
  }
  const sum = { second, requests: last.requests + requests, retries: last.retries + retries };
  return [...budget.slice(0, -1), sum];
}

function dropOld(budget: RetryBudget, nowMs: number): RetryBudget {
  const oldest = Math.floor(nowMs / 1_000) - BUDGET_SECONDS;
  const first = budget[0];
  if (first === undefined || first.second > oldest) return budget;
  return budget.filter(({ second }) => second > oldest);
}
