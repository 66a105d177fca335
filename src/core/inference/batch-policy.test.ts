import fc from "fast-check";
import { expect, test } from "vitest";
import { decideBatch } from "./batch-policy.ts";

const NATURAL = {
  maxBatchItems: 4,
  maxBatchTokens: 100,
  maxBatchRunMs: 10,
  maxQueueDelayMs: 0,
  minBatchItems: 8,
};
const PATIENT = { ...NATURAL, maxQueueDelayMs: 100, minBatchItems: 3 };

test.each([
  ["nothing waits", NATURAL, [], 0, { kind: "idle" }],
  ["one text, natural", NATURAL, [10], 0, { kind: "run", take: 1 }],
  ["more than fit by number", NATURAL, [1, 1, 1, 1, 1], 0, { kind: "run", take: 4 }],
  ["padding counts: 50 × 3 is over 100", NATURAL, [10, 50, 10], 0, { kind: "run", take: 2 }],
  ["a text over the budget runs alone", NATURAL, [500, 1], 0, { kind: "run", take: 1 }],
  ["patient, one text just came", PATIENT, [1], 0, { kind: "wait", delayMs: 100 }],
  ["patient, one text waited a while", PATIENT, [1], 40, { kind: "wait", delayMs: 60 }],
  ["patient, the wait is over", PATIENT, [1], 100, { kind: "run", take: 1 }],
  ["patient, enough company", PATIENT, [1, 1, 1], 0, { kind: "run", take: 3 }],
  ["patient, the batch is full by tokens", PATIENT, [60, 60], 0, { kind: "run", take: 1 }],
])("%s", (_name, limits, tokenCounts, oldestWaitMs, decision) => {
  expect(decideBatch({ tokenCounts, oldestWaitMs, tokensPerMs: undefined }, limits)).toEqual(
    decision,
  );
});

test("a slow model gets batches that are short in time, but never empty ones", () => {
  const queue = { tokenCounts: [10, 10, 10, 10], oldestWaitMs: 0 };
  expect(decideBatch({ ...queue, tokensPerMs: 2 }, NATURAL)).toEqual({ kind: "run", take: 2 });
  expect(decideBatch({ ...queue, tokensPerMs: 0.01 }, NATURAL)).toEqual({ kind: "run", take: 1 });
  expect(decideBatch({ ...queue, tokensPerMs: 1000 }, NATURAL)).toEqual({ kind: "run", take: 4 });
});

test("what is taken keeps the limits, is never empty, and one more would break them", () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 9 }),
      (counts) => {
        const decision = decideBatch(
          { tokenCounts: counts, oldestWaitMs: 0, tokensPerMs: undefined },
          NATURAL,
        );
        if (decision.kind !== "run") return expect.unreachable();
        const fits = (take: number) =>
          take <= 4 && (take === 1 || Math.max(...counts.slice(0, take)) * take <= 100);
        expect(fits(decision.take)).toBe(true);
        if (decision.take < counts.length) expect(fits(decision.take + 1)).toBe(false);
      },
    ),
  );
});
