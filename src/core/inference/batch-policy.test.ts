import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideBatch, toEfficientTokens, toPaddingLimit } from "./batch-policy.ts";

const NATURAL = {
  maxBatchItems: 4,
  maxBatchTokens: 100,
  maxBatchRunMs: 10,
  maxQueueDelayMs: 0,
  minBatchItems: 8,
};
const PATIENT = { ...NATURAL, maxQueueDelayMs: 100, minBatchItems: 3 };
const RAGGED = { fixedMs: 0, perTokenMs: 1, pads: false };
/** Padding up to 6 ids pays, and a run is efficient from 128 ids on. */
const PADDED = { fixedMs: 0.64, perTokenMs: 0.05, pads: true };

const snapshot = (tokenCounts: readonly number[], oldestWaitMs = 0) => ({
  tokenCounts,
  oldestWaitMs,
  tokensPerMs: undefined,
});

test.each([
  ["nothing waits", NATURAL, [], 0, { kind: "idle" }],
  ["one text, natural", NATURAL, [10], 0, { kind: "run", take: [0] }],
  ["more than fit by number", NATURAL, [1, 1, 1, 1, 1], 0, { kind: "run", take: [0, 1, 2, 3] }],
  ["more than fit by ids", NATURAL, [50, 40, 20], 0, { kind: "run", take: [0, 1] }],
  ["a text over the budget runs alone", NATURAL, [500, 1], 0, { kind: "run", take: [0] }],
  ["patient, one text just came", PATIENT, [1], 0, { kind: "wait", delayMs: 100 }],
  ["patient, one text waited a while", PATIENT, [1], 40, { kind: "wait", delayMs: 60 }],
  ["patient, the wait is over", PATIENT, [1], 100, { kind: "run", take: [0] }],
  ["patient, enough company", PATIENT, [1, 1, 1], 0, { kind: "run", take: [0, 1, 2] }],
  ["patient, the batch is full by ids", PATIENT, [60, 60], 0, { kind: "run", take: [0] }],
])("without padding: %s", (_name, limits, tokenCounts, waitMs, decision) => {
  expect(decideBatch(snapshot(tokenCounts, waitMs), limits, RAGGED)).toEqual(decision);
});

test.each([
  ["a neighbour of the same length joins", [20, 90, 20], [0, 2]],
  ["of equally near ones the one whose turn comes first", [20, 22, 18, 22, 22, 22], [0, 1, 2, 3]],
  ["nothing joins that costs more padding than a run", [20, 27], [0]],
  ["padding adds up over all members", [20, 17, 17, 17], [0, 1, 2]],
  ["a longer neighbour pads those that are there", [20, 20, 20, 23], [0, 1, 2]],
  ["the first goes, however odd its length", [90, 10, 10, 10], [0]],
  ["the budget is in padded ids", [40, 40, 40], [0, 1]],
])("with padding: %s", (_name, tokenCounts, take) => {
  expect(decideBatch(snapshot(tokenCounts), NATURAL, PADDED)).toEqual({ kind: "run", take });
});

test("a model with a dear start takes more padding than one that starts for free", () => {
  const dear = { fixedMs: 10, perTokenMs: 0.05, pads: true };
  const free = { fixedMs: 0, perTokenMs: 0.05, pads: true };
  const queue = snapshot([20, 28, 20]);
  expect(decideBatch(queue, NATURAL, dear)).toEqual({ kind: "run", take: [0, 2, 1] });
  expect(decideBatch(queue, NATURAL, free)).toEqual({ kind: "run", take: [0, 2] });
});

test("a slow model gets batches that are short in time, but never empty ones", () => {
  const queue = { tokenCounts: [10, 10, 10, 10], oldestWaitMs: 0 };
  const take = (tokensPerMs: number) => decideBatch({ ...queue, tokensPerMs }, NATURAL, RAGGED);
  expect(take(2)).toEqual({ kind: "run", take: [0, 1] });
  expect(take(0.01)).toEqual({ kind: "run", take: [0] });
  expect(take(1000)).toEqual({ kind: "run", take: [0, 1, 2, 3] });
});

describe("any queue, any cost", () => {
  const anyQueue = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 });
  const anyCost = fc.record({
    fixedMs: fc.double({ min: 0, max: 5, noNaN: true }),
    perTokenMs: fc.double({ min: 0.001, max: 1, noNaN: true }),
    pads: fc.boolean(),
  });
  const limits = { ...NATURAL, maxBatchItems: 8, maxBatchTokens: 300 };

  test("the first goes, nothing goes twice, and no limit is broken", () => {
    fc.assert(
      fc.property(anyQueue, anyCost, (counts, cost) => {
        const decision = decideBatch(snapshot(counts), limits, cost);
        if (decision.kind !== "run") return expect.unreachable();
        const { take } = decision;
        expect(take[0]).toBe(0);
        expect(new Set(take).size).toBe(take.length);
        expect(take.length).toBeLessThanOrEqual(8);
        if (take.length === 1) return;
        const taken = take.map((index) => counts[index] ?? Number.NaN);
        const sum = taken.reduce((total, count) => total + count, 0);
        const padded = cost.pads ? Math.max(...taken) * taken.length : sum;
        expect(padded).toBeLessThanOrEqual(300);
        if (!cost.pads) return;
        expect(padded - sum).toBeLessThanOrEqual(toPaddingLimit(cost));
        const efficient = toEfficientTokens(cost);
        const queued = counts.reduce((total, count) => total + count, 0);
        expect(padded).toBeLessThanOrEqual(queued < 16 * efficient ? efficient : 2 * efficient);
      }),
    );
  });

  test("a batch never costs more than its members would alone", () => {
    fc.assert(
      fc.property(anyQueue, anyCost, (counts, cost) => {
        const decision = decideBatch(snapshot(counts), limits, { ...cost, pads: true });
        if (decision.kind !== "run") return expect.unreachable();
        const taken = decision.take.map((index) => counts[index] ?? Number.NaN);
        const runMs = (tokens: number) => cost.fixedMs + cost.perTokenMs * tokens;
        const alone = taken.reduce((sum, count) => sum + runMs(count), 0);
        const together = runMs(Math.max(...taken) * taken.length);
        expect(together).toBeLessThanOrEqual(alone * (1 + 1e-9));
      }),
    );
  });
});

test("runs are twice as large when so much waits that one run more or less does not matter", () => {
  const roomy = { ...NATURAL, maxBatchItems: 1000, maxBatchTokens: 10_000 };
  const countTaken = (waiting: number) => {
    const decision = decideBatch(snapshot(Array(waiting).fill(16)), roomy, PADDED);
    return decision.kind === "run" ? decision.take.length : 0;
  };
  const efficient = toEfficientTokens(PADDED);
  expect(countTaken((15 * efficient) / 16)).toBe(efficient / 16);
  expect(countTaken(efficient)).toBe((2 * efficient) / 16);
});
