import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WorkerPool } from "../../src/backends/onnx/worker-pool.ts";
import { createWorkerPool } from "../../src/backends/onnx/worker-pool.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import { createRandomNgramWeights, writeModelFile } from "../support/onnx-fixtures.ts";

/** First ids to which the worker of these tests reacts; any other text `[n]` gives the row `[n]`. */
const FRAGILE = { exit: 100, exitOnce: 101, throwUncaught: 102, fail: 103, tellThread: 104 };

let memory: string;
let pools: WorkerPool[] = [];

beforeEach(async () => {
  memory = await mkdtemp(join(tmpdir(), "sluice-fragile-"));
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
  await rm(memory, { recursive: true, force: true });
});

async function startPool(workers: number): Promise<WorkerPool> {
  const spec = {
    modelPath: memory,
    runtime: "onnxruntime" as const,
    inputs: { ids: "ids", padId: 0 },
    outputs: { logits: "logits" },
    labelCount: 1,
    threads: 1,
  };
  const pool = await createWorkerPool({
    setup: { spec, warmup: [Int32Array.of(1)] },
    workers,
    workerUrl: new URL("./backend-fragile-worker.ts", import.meta.url),
  });
  pools.push(pool);
  return pool;
}

async function runText(pool: WorkerPool, id: number): Promise<number | undefined> {
  const [row] = await pool.run([{ ids: Int32Array.of(id), truncated: false }]);
  return row?.[0];
}

/** Threads of this process that would keep it alive. */
function countThreads(): number {
  return process.getActiveResourcesInfo().filter((name) => name === "Worker").length;
}

describe("a worker that dies", () => {
  for (const workers of [1, 2]) {
    test(`its batch is run again and answered, ${workers} worker(s)`, async () => {
      const pool = await startPool(workers);
      expect(await runText(pool, FRAGILE.exitOnce)).toBe(FRAGILE.exitOnce);
      expect(await runText(pool, 5)).toBe(5);
    });

    test(`a batch that kills two workers fails, and the pool lives on, ${workers} worker(s)`, async () => {
      const pool = await startPool(workers);
      await expect(runText(pool, FRAGILE.exit)).rejects.toMatchObject({
        name: "SluiceError",
        code: "unavailable",
      });
      expect(await runText(pool, 6)).toBe(6);
    });
  }

  test("an exception that nobody catches counts as a death, and its text is the cause", async () => {
    const pool = await startPool(1);
    await expect(runText(pool, FRAGILE.throwUncaught)).rejects.toMatchObject({
      code: "unavailable",
      cause: expect.objectContaining({ message: "Nobody catches this." }),
    });
    expect(await runText(pool, 7)).toBe(7);
  });

  test("batches that only waited behind the deadly one are all answered", async () => {
    const pool = await startPool(1);
    const deadly = runText(pool, FRAGILE.exit);
    const others = [1, 2, 3, 4, 5].map((id) => runText(pool, id));
    await expect(deadly).rejects.toMatchObject({ code: "unavailable" });
    expect(await Promise.all(others)).toEqual([1, 2, 3, 4, 5]);
  });

  test("when no replacement can be loaded, waiting batches fail, and later ones are answered again", async () => {
    const pool = await startPool(1);
    const marker = join(memory, "refuses-to-load");
    await writeFile(marker, "");
    await expect(runText(pool, FRAGILE.exit)).rejects.toMatchObject({
      code: "unavailable",
      message: "The model has no running worker.",
    });
    await rm(marker);
    expect(await runText(pool, 8)).toBe(8);
  });

  test("close waits for the second attempt of its batch", async () => {
    const pool = await startPool(1);
    const run = runText(pool, FRAGILE.exitOnce);
    await pool.close();
    expect(await run).toBe(FRAGILE.exitOnce);
  });
});

describe("a pool of workers", () => {
  test("a batch that fails is not run again, and its worker lives on", async () => {
    const pool = await startPool(1);
    await expect(runText(pool, FRAGILE.fail)).rejects.toMatchObject({ code: "model_failed" });
    expect(await runText(pool, 9)).toBe(9);
  });

  test("it offers two slots per worker and spreads batches over all of them", async () => {
    const pool = await startPool(2);
    expect(pool.slots).toBe(4);
    const threads = await Promise.all(
      Array.from({ length: 4 }, () => runText(pool, FRAGILE.tellThread)),
    );
    const [first, second] = [...new Set(threads)];
    expect(threads.toSorted()).toEqual([first, first, second, second].toSorted());
  });

  test("when the model cannot be loaded, the reason is told and no thread is left", async () => {
    await writeFile(join(memory, "refuses-to-load"), "");
    const before = countThreads();
    await expect(startPool(2)).rejects.toMatchObject({ name: "SluiceError", code: "internal" });
    expect(countThreads()).toBe(before);
  });

  test("when the worker program is missing, creating the pool fails with `unavailable`", async () => {
    const setup = {
      spec: {
        modelPath: memory,
        runtime: "onnxruntime" as const,
        inputs: { ids: "ids", padId: 0 },
        outputs: { logits: "logits" },
        labelCount: 1,
        threads: 1,
      },
      warmup: [Int32Array.of(1)],
    };
    const workerUrl = new URL("./no-such-worker.ts", import.meta.url);
    await expect(createWorkerPool({ setup, workers: 2, workerUrl })).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test("a program that never closes its pool still ends", async () => {
    const weights = createRandomNgramWeights({
      seed: 1,
      buckets: 50,
      dimensions: 4,
      classes: 2,
      combiner: "mean",
      quantized: false,
    });
    const model = await writeModelFile(writeNgramClassifier(weights));
    const program = new URL("./backend-unclosed.ts", import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [program, model.path], {
      timeout: 20_000,
    });
    expect(stdout).toBe("rows: 1\n");
    await model.remove();
  });
});
