import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { TextPool } from "../../src/backends/onnx/workers/text-pool.ts";
import { createTextPool } from "../../src/backends/onnx/workers/text-pool.ts";
import { startThread } from "../../src/backends/onnx/workers/thread-supply.ts";
import { SLOTS_PER_WORKER } from "../../src/backends/onnx/workers/worker-pool.ts";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import { createRunnerSpec, toText } from "../support/backend-options.ts";
import { createRandomNgramWeights, writeModelFile } from "../support/onnx-fixtures.ts";
import { FRAGILE, MARKERS } from "./backend-fragile-commands.ts";

const PROGRAM = new URL("./backend-fragile-worker.ts", import.meta.url);
/** Short, but far longer than any run that does not hang. */
const HANG_TIMEOUT_MS = 400;

let memory: string;
let pools: TextPool[] = [];

beforeEach(async () => {
  memory = await mkdtemp(join(tmpdir(), "sluice-fragile-"));
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
  await rm(memory, { recursive: true, force: true });
});

const mark = (marker: string) => writeFile(join(memory, marker), "");

interface StartedPool extends TextPool {
  readonly slots: number;
  /** Settles when all workers have loaded, or failed to. */
  readonly complete: Promise<void>;
}

async function startPool(
  workers: number,
  { hangTimeoutMs = 0, workerUrl = PROGRAM } = {},
): Promise<StartedPool> {
  const setup = { spec: createRunnerSpec(memory), niceness: 0 };
  const pool = await createTextPool({
    setup,
    warmup: Promise.resolve([toText([1])]),
    hangTimeoutMs,
    startThread: () => startThread(workerUrl),
  });
  pools.push(pool);
  return { ...pool, slots: workers * SLOTS_PER_WORKER, complete: pool.grow(workers) };
}

async function startCompletePool(workers: number, hangTimeoutMs = 0): Promise<StartedPool> {
  const pool = await startPool(workers, { hangTimeoutMs });
  await pool.complete;
  return pool;
}

async function runText(pool: TextPool, id: number): Promise<number | undefined> {
  const [row] = await pool.run([toText([id])]);
  return row?.[0];
}

/** Threads that answer when all slots are used at once. */
async function listThreads(pool: StartedPool): Promise<readonly (number | undefined)[]> {
  const runs = Array.from({ length: pool.slots }, () => runText(pool, FRAGILE.tellThread));
  return (await Promise.all(runs)).toSorted();
}

async function countAnswering(pool: StartedPool): Promise<number> {
  return new Set(await listThreads(pool)).size;
}

/** All threads that this process has started and that have not ended. */
let liveWorkers = 0;
process.on("worker", (worker) => {
  liveWorkers++;
  worker.on("exit", () => {
    liveWorkers--;
  });
});
const countWorkers = () => liveWorkers;

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

    test(`a batch that kills its worker twice fails alone, ${workers} worker(s)`, async () => {
      const pool = await startPool(workers);
      await expect(runText(pool, FRAGILE.exit)).rejects.toMatchObject({
        name: "SluiceError",
        code: "unavailable",
        message: "Running this batch failed 2 times; the last time its worker died.",
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

  test("one that dies in the middle of a batch takes no other batch with it", async () => {
    const pool = await startCompletePool(2);
    const deadly = runText(pool, FRAGILE.exitLater);
    const others = Array.from({ length: 12 }, (_, id) => runText(pool, id));
    await expect(deadly).rejects.toMatchObject({ code: "unavailable" });
    expect(await Promise.all(others)).toEqual(Array.from({ length: 12 }, (_, id) => id));
  });

  test("when no replacement can be loaded, waiting batches fail, and later ones are answered again", async () => {
    const pool = await startPool(1);
    await mark(MARKERS.refusesToLoad);
    await expect(runText(pool, FRAGILE.exit)).rejects.toMatchObject({
      code: "unavailable",
      message: "The model has no running worker.",
    });
    await rm(join(memory, MARKERS.refusesToLoad));
    expect(await runText(pool, 8)).toBe(8);
  });

  test("close waits for the second attempt of its batch", async () => {
    const pool = await startPool(1);
    const run = runText(pool, FRAGILE.exitOnce);
    await pool.close();
    expect(await run).toBe(FRAGILE.exitOnce);
  });
});

describe("a worker whose run never ends", () => {
  for (const workers of [1, 2]) {
    test(`its batch is run again elsewhere and answered, ${workers} worker(s)`, async () => {
      const pool = await startCompletePool(workers, HANG_TIMEOUT_MS);
      const startedMs = performance.now();
      expect(await runText(pool, FRAGILE.hangOnce)).toBe(FRAGILE.hangOnce);
      expect(performance.now() - startedMs).toBeGreaterThanOrEqual(HANG_TIMEOUT_MS - 1);
      expect(await runText(pool, 5)).toBe(5);
    });
  }

  test("a batch that hangs twice fails alone, and its thread is replaced", async () => {
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    const [before] = await listThreads(pool);
    await expect(runText(pool, FRAGILE.hang)).rejects.toMatchObject({
      name: "SluiceError",
      code: "unavailable",
      message: "Running this batch failed 2 times; the last time its worker hung.",
    });
    const [after] = await listThreads(pool);
    expect(after).toBeGreaterThan(before ?? Number.POSITIVE_INFINITY);
  });

  test("batches that only waited behind the hung one are all answered", async () => {
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    const hung = runText(pool, FRAGILE.hang);
    const others = [1, 2, 3, 4, 5].map((id) => runText(pool, id));
    await expect(hung).rejects.toMatchObject({ code: "unavailable" });
    expect(await Promise.all(others)).toEqual([1, 2, 3, 4, 5]);
  });

  test("without a timeout it is waited for", async () => {
    const pool = await startCompletePool(1);
    const before = await listThreads(pool);
    const run = runText(pool, FRAGILE.hangOnce);
    await new Promise((resolve) => setTimeout(resolve, 2 * HANG_TIMEOUT_MS));
    await mark(MARKERS.released);
    expect(await run).toBe(FRAGILE.hangOnce);
    expect(await listThreads(pool)).toEqual(before);
  });

  test("the clock of a batch starts when its run does, not while it waits", async () => {
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    const before = await listThreads(pool);
    const runs = Array.from({ length: 12 }, () => runText(pool, FRAGILE.slow));
    const startedMs = performance.now();
    expect(new Set(await Promise.all(runs))).toEqual(new Set([FRAGILE.slow]));
    expect(performance.now() - startedMs).toBeGreaterThan(HANG_TIMEOUT_MS);
    expect(await listThreads(pool)).toEqual(before);
  });

  test("one text that always hangs, first in a batch and then alone, leaves every place filled", async () => {
    const pool = await startCompletePool(2, HANG_TIMEOUT_MS);
    const refused = { code: "unavailable" };
    await expect(pool.run([toText([1]), toText([FRAGILE.hang])])).rejects.toMatchObject(refused);
    await expect(runText(pool, FRAGILE.hang)).rejects.toMatchObject({
      ...refused,
      message: "Running this batch failed 1 time; the last time its worker hung.",
    });
    await expect.poll(() => countAnswering(pool)).toBe(2);
  });

  test("a pool in which more than three threads hang refuses at once and says why", async () => {
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    await expect(runText(pool, FRAGILE.hang)).rejects.toMatchObject({ code: "unavailable" });
    await expect(runText(pool, FRAGILE.hang)).rejects.toMatchObject({ code: "unavailable" });
    const waiting = [runText(pool, FRAGILE.hang), runText(pool, 1), runText(pool, 2)];
    const refusal = {
      code: "unavailable",
      message: "4 runs of this model never ended, so no more are started; restart the server.",
    };
    const [hung, ...behind] = await Promise.allSettled(waiting);
    expect(hung).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
    for (const outcome of behind) expect(outcome).toMatchObject({ reason: refusal });
    const startedMs = performance.now();
    await expect(runText(pool, 3)).rejects.toMatchObject(refusal);
    expect(performance.now() - startedMs).toBeLessThan(HANG_TIMEOUT_MS);
    await pool.close();
  });

  test("threads that come back after all end, and places that were given up are filled again", async () => {
    // Hung threads of other tests end with those tests, a little later.
    await expect.poll(countWorkers, { timeout: 20_000 }).toBe(0);
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    for (let i = 0; i < 3; i++) await Promise.allSettled([runText(pool, FRAGILE.hang)]);
    await expect(runText(pool, 3)).rejects.toMatchObject({ code: "unavailable" });
    await mark(MARKERS.released);
    const answer = () => runText(pool, 4).catch(() => undefined);
    await expect.poll(answer, { timeout: 20_000, interval: 50 }).toBe(4);
    await expect.poll(countWorkers, { timeout: 20_000 }).toBe(1);
  });

  test("a process that stood still blames no worker", async () => {
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    const before = await listThreads(pool);
    const run = runText(pool, FRAGILE.slow);
    // From here the event loop comes to its timers first and to messages later.
    await new Promise(setImmediate);
    const standstill = new Int32Array(new SharedArrayBuffer(4));
    Atomics.wait(standstill, 0, 0, 3 * HANG_TIMEOUT_MS);
    expect(await run).toBe(FRAGILE.slow);
    expect(await listThreads(pool)).toEqual(before);
  });

  test("close does not wait for threads that were given up", async () => {
    // Hung threads of other tests end with those tests, a little later.
    await expect.poll(countWorkers, { timeout: 20_000 }).toBe(0);
    const pool = await startCompletePool(1, HANG_TIMEOUT_MS);
    expect(await runText(pool, FRAGILE.hangOnce)).toBe(FRAGILE.hangOnce);
    await pool.close();
    expect(countWorkers()).toBe(1);
  });
});

describe("a pool of workers", () => {
  test("a batch that fails is not run again, and its worker lives on", async () => {
    const pool = await startPool(1);
    const [before] = await listThreads(pool);
    await expect(runText(pool, FRAGILE.fail)).rejects.toMatchObject({ code: "model_failed" });
    expect((await listThreads(pool))[0]).toBe(before);
  });

  test("it offers two slots per worker and spreads batches over all of them", async () => {
    const pool = await startCompletePool(2);
    expect(pool.slots).toBe(4);
    const threads = await listThreads(pool);
    const [first, second] = [...new Set(threads)];
    expect(threads).toEqual([first, first, second, second]);
  });

  test("it answers as soon as its first worker can, and the others join when they have loaded", async () => {
    await mark(MARKERS.loadsLater);
    const pool = await startPool(3);
    expect(await countAnswering(pool)).toBe(1);
    let isComplete = false;
    void pool.complete.then(() => {
      isComplete = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isComplete).toBe(false);
    await rm(join(memory, MARKERS.loadsLater));
    await pool.complete;
    expect(await countAnswering(pool)).toBe(3);
  });

  test("workers that cannot be loaded later are tried again, and the first one serves meanwhile", async () => {
    await mark(MARKERS.loadsLater);
    const pool = await startPool(2);
    await mark(MARKERS.refusesToLoad);
    await rm(join(memory, MARKERS.loadsLater));
    await pool.complete;
    expect(await runText(pool, 4)).toBe(4);
    expect(await countAnswering(pool)).toBe(1);
    await rm(join(memory, MARKERS.refusesToLoad));
    await expect.poll(() => countAnswering(pool), { timeout: 8000, interval: 50 }).toBe(2);
  });

  test("close while others are still loading leaves no thread behind", async () => {
    const before = countThreads();
    const pool = await startPool(3);
    await pool.close();
    await pool.complete;
    await expect.poll(countThreads).toBe(before);
    await expect(runText(pool, 1)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("it tells what its first worker found out", async () => {
    const { loaded } = await startPool(1);
    expect(loaded).toMatchObject({ description: "fragile", pads: true });
    expect(loaded.cost.typicalRunMs).toBeGreaterThan(0);
    expect(loaded.memoryBytes).toBeGreaterThanOrEqual(0);
  });

  test("when the model cannot be loaded, the reason is told and no thread is left", async () => {
    await mark(MARKERS.refusesToLoad);
    const before = countThreads();
    await expect(startPool(2)).rejects.toMatchObject({ name: "SluiceError", code: "internal" });
    expect(countThreads()).toBe(before);
  });

  test("when the worker program is missing, creating the pool fails with `unavailable`", async () => {
    const workerUrl = new URL("./no-such-worker.ts", import.meta.url);
    await expect(startPool(2, { workerUrl })).rejects.toMatchObject({ code: "unavailable" });
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
