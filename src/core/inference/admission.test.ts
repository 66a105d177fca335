import { expect, test } from "vitest";
import type { AdmissionSnapshot } from "./admission.ts";
import { decideAdmission, decideMaxWaitMs } from "./admission.ts";

const LIMITS = { maxQueueItems: 10, maxQueueWaitMs: 100 };

/** Ten ids a millisecond; nothing waits. */
const CALM: AdmissionSnapshot = {
  queuedItems: 0,
  queuedTokens: 0,
  flowTokens: 0,
  flowShare: 1,
  runningTokens: 0,
  newItems: 1,
  newTokens: 10,
  tokensPerMs: 10,
  offeredTokensPerMs: 0,
  fullFlightTokens: 100,
  remainingMs: 1000,
};

test.each<[string, Partial<AdmissionSnapshot>, boolean, number?]>([
  ["nothing waits", {}, true],
  ["nothing waits, however large the newcomer", { newItems: 500, newTokens: 1e6 }, true],
  ["nothing waits, however much runs", { runningTokens: 1e6 }, true],
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
  [
    "as much is asked for as gets done: whoever waits, waits",
    { queuedItems: 5, queuedTokens: 900, offeredTokensPerMs: 10 },
    true,
  ],
  [
    "three times as much is asked for as gets done",
    { queuedItems: 5, queuedTokens: 210, offeredTokensPerMs: 30 },
    false,
    21,
  ],
  [
    "three times as much, but the slots need more to stay busy",
    { queuedItems: 5, queuedTokens: 190, offeredTokensPerMs: 30 },
    true,
  ],
  ["the deadline is too near", { queuedItems: 1, queuedTokens: 500, remainingMs: 50 }, false, 50],
  ["full, and next to nothing to wait for", { queuedItems: 10 }, false, 1],
  [
    "others flood the queue, and the newcomer has nothing in it",
    { queuedItems: 9, queuedTokens: 1e6, flowTokens: 0, flowShare: 0.5 },
    true,
  ],
  [
    "the newcomer floods the queue itself",
    { queuedItems: 9, queuedTokens: 1e6, flowTokens: 600, flowShare: 0.5 },
    false,
    120,
  ],
  [
    "the newcomer has a tenth of a claim, but little waits in all",
    { queuedItems: 9, queuedTokens: 300, flowTokens: 200, flowShare: 0.1 },
    true,
  ],
])("%s", (_name, changes, admitted, retryAfterMs) => {
  // Unless a case says otherwise, everything that waits is the newcomer's own.
  const flowTokens = changes.queuedTokens ?? 0;
  const decision = decideAdmission({ ...CALM, flowTokens, ...changes }, LIMITS);
  expect(decision).toEqual(admitted ? { admitted } : { admitted, retryAfterMs });
});

test("the allowed wait goes down steadily with what is asked for, and never rises above the bound", () => {
  const waitAt = (offeredTokensPerMs: number) =>
    decideMaxWaitMs({ ...CALM, offeredTokensPerMs }, LIMITS);
  const waits = [0, 5, 10, 11, 12, 13, 14, 16, 30].map(waitAt);
  expect(waits).toEqual(waits.toSorted((a, b) => b - a));
  expect(waits[0]).toBe(100);
  expect(waits.at(-1)).toBe(20);
  expect(decideMaxWaitMs({ ...CALM, offeredTokensPerMs: 30, fullFlightTokens: 1e6 }, LIMITS)).toBe(
    100,
  );
});
