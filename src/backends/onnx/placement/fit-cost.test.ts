import fc from "fast-check";
import { expect, test } from "vitest";
import { fitCost, predictRunMs } from "./fit-cost.ts";

test("times on a line give the line back", () => {
  const line = (tokens: number) => ({ tokens, ms: 0.6 + 0.045 * tokens });
  const cost = fitCost([8, 32, 64, 64].map(line));
  expect(cost.fixedMs).toBeCloseTo(0.6, 9);
  expect(cost.perTokenMs).toBeCloseTo(0.045, 9);
});

test("a disturbed long run does not hide what short runs cost", () => {
  const cost = fitCost([
    { tokens: 8, ms: 1 },
    { tokens: 32, ms: 2 },
    { tokens: 64, ms: 9 },
  ]);
  expect(predictRunMs(cost, 1, 8)).toBeLessThan(1.5);
});

test("runs that take no longer with more ids cost a fixed time", () => {
  const cost = fitCost([
    { tokens: 8, ms: 2 },
    { tokens: 64, ms: 1.8 },
  ]);
  expect(cost.fixedMs).toBeGreaterThan(1.8);
  expect(cost.perTokenMs).toBeLessThan(1e-5);
});

test("a line that would begin below zero begins at zero", () => {
  const cost = fitCost([
    { tokens: 8, ms: 0.1 },
    { tokens: 64, ms: 3 },
  ]);
  expect(cost.fixedMs).toBe(0);
  expect(cost.perTokenMs).toBeGreaterThan(0.01);
});

test("the cost is never negative, never infinite, and every id costs something", () => {
  const anyBatch = fc.record({
    tokens: fc.integer({ min: 1, max: 10_000 }),
    ms: fc.double({ min: 0, max: 10_000, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(anyBatch, { minLength: 1, maxLength: 6 }), (batches) => {
      const { fixedMs, perTokenMs } = fitCost(batches);
      expect(fixedMs).toBeGreaterThanOrEqual(0);
      expect(perTokenMs).toBeGreaterThan(0);
      expect(Number.isFinite(fixedMs + perTokenMs)).toBe(true);
    }),
  );
});

test("a run is predicted by its padded ids", () => {
  expect(predictRunMs({ fixedMs: 1, perTokenMs: 0.5 }, 4, 16)).toBe(33);
});
