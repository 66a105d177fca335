import { describe, expect, test } from "vitest";
import { SluiceError } from "../../core/errors.ts";
import { createInlineBackend } from "./inline-backend.ts";
import type { ModelRunner } from "./model-runner.ts";

const text = { ids: Int32Array.of(7), secondStart: 1 };
const COST = { fixedMs: 0.1, perTokenMs: 0.001 };

/** A model whose logits are the ids. `run` replaces what it does. */
function scriptRunner(run?: ModelRunner["run"]): ModelRunner & { closed: number } {
  return {
    description: "scripted",
    pads: false,
    closed: 0,
    run: run ?? ((batch) => batch.map(({ ids }) => Float32Array.from(ids))),
    async close() {
      this.closed++;
    },
  };
}

describe("the inline backend", () => {
  test("it has one slot and answers with the runner's rows", async () => {
    const backend = createInlineBackend(scriptRunner(), "scripted, inline", COST);
    expect(backend).toMatchObject({
      slots: 1,
      parallelRuns: 1,
      pads: false,
      cost: COST,
      description: "scripted, inline",
    });
    expect(await backend.run([text])).toEqual([Float32Array.of(7)]);
  });

  test("whatever a runner throws becomes the failure of this batch", async () => {
    const cause = new Error("no such id");
    const backend = createInlineBackend(
      scriptRunner(() => {
        throw cause;
      }),
      "scripted",
      COST,
    );
    await expect(backend.run([text])).rejects.toMatchObject({ code: "model_failed", cause });
  });

  test("rows that are not numbers fail, whoever else is in the batch", async () => {
    const backend = createInlineBackend(
      scriptRunner(() => [Float32Array.of(1), Float32Array.of(Number.NaN)]),
      "scripted",
      COST,
    );
    await expect(backend.run([text, text])).rejects.toMatchObject({ code: "model_failed" });
  });

  test("an error of ours keeps its code", async () => {
    const error = new SluiceError("unavailable", "Not now.");
    const backend = createInlineBackend(
      scriptRunner(() => Promise.reject(error)),
      "scripted",
      COST,
    );
    await expect(backend.run([text])).rejects.toBe(error);
  });

  test("close waits for the running batch, frees the model once and refuses later batches", async () => {
    const { promise, resolve } = Promise.withResolvers<readonly Float32Array[]>();
    const runner = scriptRunner(() => promise);
    const backend = createInlineBackend(runner, "scripted", COST);
    const run = backend.run([text]);
    const closed = Promise.all([backend.close(), backend.close()]);
    await expect(backend.run([text])).rejects.toMatchObject({ code: "unavailable" });
    expect(runner.closed).toBe(0);
    resolve([Float32Array.of(1)]);
    expect(await run).toEqual([Float32Array.of(1)]);
    await closed;
    expect(runner.closed).toBe(1);
  });
});
