import { expect, test } from "vitest";
import type { AdmissionSnapshot } from "./admission.ts";
import { decideAdmission } from "./admission.ts";

const LIMITS = { maxQueueItems: 10, maxQueueWaitMs: 100 };

/** Ten ids a millisecond; nothing waits. */
const CALM: AdmissionSnapshot = {
  queuedItems: 0,
  queuedTokens: 0,
  runningTokens: 0,
  newItems: 1,
  newTokens: 10,
  tokensPerMs: 10,
  remainingMs: 1000,
};

test.each<[string, Partial<AdmissionSnapshot>, boolean, number?]>([
  ["nothing waits", {}, true],
  ["nothing waits, however large the newcomer", { newItems: 500, newTokens: 1e6 }, true],
  ["nothing waits, however much runs", { runningTokens: 1e6 }, true],
  ["nothing was measured yet", { queuedItems: 5, queuedTokens: 1e6, tokensPerMs: undefined }, true],
  ["little waits", { queuedItems: 5, queuedTokens: 500 }, true],
  ["the queue is full", { queuedItems: 10, queuedTokens: 100 }, false, 10],
  ["the newcomers do not all fit", { queuedItems: 8, newItems: 3, queuedTokens: 80 }, false, 8],
  ["too much waits", { queuedItems: 5, queuedTokens: 1010 }, false, 101],
  [
    "too much runs and waits",
    { queuedItems: 1, queuedTokens: 10, runningTokens: 1000 },
    false,
    101,
  ],
  ["the deadline is too near", { queuedItems: 1, queuedTokens: 500, remainingMs: 50 }, false, 50],
  ["full and nothing measured", { queuedItems: 10, tokensPerMs: undefined }, false, 1000],
])("%s", (_name, changes, admitted, retryAfterMs) => {
  const decision = decideAdmission({ ...CALM, ...changes }, LIMITS);
  expect(decision).toEqual(admitted ? { admitted } : { admitted, retryAfterMs });
});
