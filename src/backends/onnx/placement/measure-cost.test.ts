import { describe, expect, test } from "vitest";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { ModelRunner } from "../model-runner.ts";
import { measureCost } from "./measure-cost.ts";

const OPTIONS = { maxTokens: undefined, firstShapes: [] };

function encode(...ids: number[]): EncodedText {
  return { ids: Int32Array.from(ids), secondStart: ids.length };
}

function createRunner(run: ModelRunner["run"], pads = true): ModelRunner {
  return { description: "scripted", pads, run, close: async () => {} };
}

/** A model on a clock of its own, which only goes on while the model runs. */
function createTimedRunner(runMs: (tokens: number, run: number) => number) {
  let timeMs = 0;
  let runs = 0;
  const runner = createRunner((batch) => {
    const longest = Math.max(...batch.map(({ ids }) => ids.length));
    timeMs += runMs(longest * batch.length, runs++);
    return batch.map(() => new Float32Array(2));
  });
  return { runner, nowMs: () => timeMs, countRuns: () => runs };
}

const LONG_TEXT = encode(...new Array(64).fill(1));

describe("what a model costs", () => {
  test("the fixed part and the part per id are told apart", async () => {
    const { runner, nowMs } = createTimedRunner((tokens) => 0.6 + 0.045 * tokens);
    const cost = await measureCost(runner, { ...OPTIONS, texts: [LONG_TEXT, encode(1, 2)], nowMs });
    expect(cost.fixedMs).toBeCloseTo(0.6, 6);
    expect(cost.perTokenMs).toBeCloseTo(0.045, 6);
    expect(cost.typicalRunMs).toBeCloseTo(0.6 + 0.045 * 33, 6);
  });

  test("on a busy machine the undisturbed runs count", async () => {
    const { runner, nowMs } = createTimedRunner((tokens, run) => {
      const ms = 0.6 + 0.045 * tokens;
      return run % 5 === 0 ? 4 * ms : ms;
    });
    const { fixedMs, perTokenMs } = await measureCost(runner, {
      ...OPTIONS,
      texts: [LONG_TEXT],
      nowMs,
    });
    expect(fixedMs).toBeCloseTo(0.6, 6);
    expect(perTokenMs).toBeCloseTo(0.045, 6);
  });

  test("it takes about as long for any short run, and few runs when they are slow", async () => {
    for (const runMs of [0.001, 1.3, 5]) {
      const { runner, nowMs } = createTimedRunner(() => runMs);
      await measureCost(runner, { ...OPTIONS, texts: [LONG_TEXT], nowMs });
      expect(nowMs()).toBeLessThan(70);
    }
    const slow = createTimedRunner((tokens) => 20 * tokens);
    await measureCost(slow.runner, { ...OPTIONS, texts: [LONG_TEXT], nowMs: slow.nowMs });
    // One text, then two rounds of the two smaller shapes.
    expect(slow.countRuns()).toBe(5);
  });

  test("no text is longer than the model reads, and ids are those of the texts", async () => {
    const lengths = new Set<number>();
    const ids = new Set<number>();
    const runner = createRunner((batch) => {
      for (const text of batch) {
        lengths.add(text.ids.length);
        expect(text.secondStart).toBe(text.ids.length);
        for (const id of text.ids) ids.add(id);
      }
      return batch.map(() => new Float32Array(2));
    });
    await measureCost(runner, { ...OPTIONS, texts: [encode(5, 6), encode(7)], maxTokens: 24 });
    expect(Math.max(...lengths)).toBe(24);
    expect([...ids].sort()).toEqual([5, 6, 7]);
    lengths.clear();
    await measureCost(runner, { ...OPTIONS, texts: [encode(5, 6, 5)] });
    expect(Math.max(...lengths)).toBe(3);
  });

  test("shapes that must come first do come first", async () => {
    const shapes: string[] = [];
    const runner = createRunner((batch) => {
      shapes.push(`${batch.length}x${batch[0]?.ids.length}`);
      return batch.map(() => new Float32Array(2));
    });
    const firstShapes = [
      { batch: 1, tokens: 1 },
      { batch: 5, tokens: 99 },
    ];
    await measureCost(runner, { texts: [encode(1, 2)], maxTokens: 40, firstShapes });
    expect(shapes.slice(0, 2)).toEqual(["1x1", "5x40"]);
  });
});

describe("a model that cannot be served", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    test(`an output of ${value} for ordinary texts is refused`, async () => {
      const runner = createRunner((batch) => batch.map(() => Float32Array.of(1, value)));
      await expect(measureCost(runner, { ...OPTIONS, texts: [encode(1)] })).rejects.toMatchObject({
        code: "invalid_argument",
        message: expect.stringContaining("not a number"),
      });
    });
  }

  test("what the model throws for a warm-up text comes through", async () => {
    const runner = createRunner(() => Promise.reject(new Error("refused")));
    await expect(measureCost(runner, { ...OPTIONS, texts: [encode(1)] })).rejects.toThrow(
      "refused",
    );
  });
});
