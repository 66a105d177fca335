import { expect, test } from "vitest";
import { measureRunMs } from "./measure-run.ts";
import type { ModelRunner } from "./model-runner.ts";

function createRunner(run: ModelRunner["run"]): ModelRunner {
  return { description: "scripted", run, close: async () => {} };
}

test("every warm-up text is run, one at a time", async () => {
  const texts = [Int32Array.of(1), Int32Array.of(2), Int32Array.of(3)];
  const seen = new Set<number>();
  const runner = createRunner((batch) => {
    expect(batch).toHaveLength(1);
    seen.add(batch[0]?.[0] ?? 0);
    return batch.map(() => new Float32Array(2));
  });
  await measureRunMs(runner, texts);
  expect([...seen]).toEqual([1, 2, 3]);
});

test("a slow model is measured in few runs, and its time is about right", async () => {
  let runs = 0;
  const runner = createRunner(async (batch) => {
    runs++;
    await new Promise((resolve) => setTimeout(resolve, 30));
    return batch.map(() => new Float32Array(2));
  });
  const runMs = await measureRunMs(runner, [Int32Array.of(1)]);
  expect(runMs).toBeGreaterThan(25);
  expect(runs).toBeLessThanOrEqual(10);
});

test("a model that refuses a warm-up text says so", async () => {
  const runner = createRunner(() => Promise.reject(new Error("refused")));
  await expect(measureRunMs(runner, [Int32Array.of(1)])).rejects.toThrow("refused");
});
