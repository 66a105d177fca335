import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LayoutQuestion } from "./layouts.ts";
import { countFittingModels, decideLayout, listLayouts } from "./layouts.ts";

const ANY = { workers: 0, threads: 0 };
const ROOMY = { fixed: ANY, maxModels: 1000 };

function list(question: Partial<LayoutQuestion> & { cores: number; runMs: number }): string[] {
  const { layouts } = listLayouts({ ...ROOMY, ...question });
  return layouts.map(({ workers, threads }) => `${workers}x${threads}`);
}

describe("the layouts that are compared", () => {
  test("short runs get one worker per core, and nothing is compared", () => {
    expect(list({ cores: 8, runMs: 1.3 })).toEqual(["8x1"]);
  });

  test("long runs are also tried with more threads each", () => {
    expect(list({ cores: 8, runMs: 50 })).toEqual(["8x1", "4x2", "1x8"]);
    expect(list({ cores: 2, runMs: 50 })).toEqual(["2x1", "1x2"]);
  });

  test("on one core there is nothing to choose", () => {
    expect(list({ cores: 1, runMs: 50 })).toEqual(["1x1"]);
  });

  test("what is configured is not questioned, even against memory", () => {
    const fixed = { workers: 3, threads: 2 };
    expect(list({ cores: 8, runMs: 50, fixed, maxModels: 1 })).toEqual(["3x2"]);
  });

  test("configured workers share the cores, configured threads say how many workers fit", () => {
    expect(list({ cores: 8, runMs: 50, fixed: { workers: 2, threads: 0 } })).toEqual([
      "2x1",
      "2x4",
    ]);
    expect(list({ cores: 8, runMs: 1, fixed: { workers: 2, threads: 0 } })).toEqual(["2x1"]);
    expect(list({ cores: 8, runMs: 50, fixed: { workers: 0, threads: 3 } })).toEqual(["2x3"]);
    expect(list({ cores: 2, runMs: 50, fixed: { workers: 0, threads: 4 } })).toEqual(["1x4"]);
  });

  test("where memory holds fewer models than cores, long runs use the cores by threads", () => {
    expect(list({ cores: 8, runMs: 50, maxModels: 2 })).toEqual(["2x4"]);
    expect(list({ cores: 8, runMs: 1, maxModels: 2 })).toEqual(["2x1"]);
  });

  test("layouts that would not fit beside the usual one are not tried", () => {
    expect(list({ cores: 8, runMs: 50, maxModels: 9 })).toEqual(["8x1", "1x8"]);
    expect(list({ cores: 8, runMs: 50, maxModels: 8 })).toEqual(["8x1"]);
  });

  test("models that take seconds are not loaded again for a comparison", () => {
    expect(list({ cores: 8, runMs: 3_000 })).toEqual(["8x1"]);
  });

  test("there is always a layout, every one has a worker and a thread, and why is said", () => {
    const anyQuestion = fc.record({
      cores: fc.integer({ min: 1, max: 256 }),
      runMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
      maxModels: fc.integer({ min: 1, max: 300 }),
      fixed: fc.record({ workers: fc.nat(300), threads: fc.nat(300) }),
    });
    fc.assert(
      fc.property(anyQuestion, (question) => {
        const { layouts, why } = listLayouts(question);
        expect(layouts.length).toBeGreaterThanOrEqual(1);
        expect(why).not.toBe("");
        for (const { workers, threads } of layouts) {
          expect(workers).toBeGreaterThanOrEqual(1);
          expect(threads).toBeGreaterThanOrEqual(1);
        }
      }),
    );
  });
});

describe("the layout that is chosen", () => {
  const usual = { workers: 2, threads: 1, tokensPerMs: 100 };

  test("the fastest", () => {
    const fast = { workers: 1, threads: 2, tokensPerMs: 120 };
    const faster = { workers: 1, threads: 4, tokensPerMs: 130 };
    expect(decideLayout([usual, fast, faster])).toBe(faster);
    expect(decideLayout([usual, faster, fast])).toBe(faster);
  });

  test("the usual one, unless another is clearly better", () => {
    const noise = { workers: 1, threads: 2, tokensPerMs: 104 };
    expect(decideLayout([usual, noise])).toBe(usual);
    expect(decideLayout([usual])).toBe(usual);
  });

  test("none of nothing", () => {
    expect(decideLayout([])).toBeUndefined();
  });
});

test("copies of a model may take half of the memory that is free, and the first is there already", () => {
  expect(countFittingModels(100, 1_000)).toBe(6);
  expect(countFittingModels(1_000, 100)).toBe(1);
  expect(countFittingModels(0, 100)).toBe(Number.POSITIVE_INFINITY);
});
