import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { createOnnxBackend } from "../../src/backends/onnx/create-onnx-backend.ts";
import { createTextPool } from "../../src/backends/onnx/workers/text-pool.ts";
import { startThread } from "../../src/backends/onnx/workers/thread-supply.ts";
import { SLOTS_PER_WORKER } from "../../src/backends/onnx/workers/worker-pool.ts";
import type { SluiceError } from "../../src/core/errors.ts";
import { Batcher } from "../../src/core/inference/batcher.ts";
import type { Backend } from "../../src/core/ports/backend.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";
import { createSystemClock } from "../../src/telemetry/system-clock.ts";
import { createBackendOptions, createRunnerSpec, toText } from "../support/backend-options.ts";
import { CancelSource } from "../support/cancel-source.ts";
import { writeModelFile } from "../support/onnx-fixtures.ts";
import { RecordingObserver } from "../support/recording-observer.ts";
import { createIdTexts, createSmallEncoderBytes, SMALL_ENCODER } from "../support/small-encoder.ts";
import { FRAGILE } from "./backend-fragile-commands.ts";

const LIMITS = {
  maxBatchItems: 32,
  maxBatchTokens: 16_384,
  maxBatchRunMs: 1000,
  maxQueueDelayMs: 0,
  minBatchItems: 8,
  maxQueueItems: 1000,
  maxQueueWaitMs: 60_000,
  maxBulkItems: 1000,
  bulkShare: 0.05,
};

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** What became of each text: its row as plain numbers, or the code of its error. */
async function submitTogether(backend: Backend, texts: readonly EncodedText[]) {
  const observer = new RecordingObserver();
  const clock = createSystemClock();
  const batcher = new Batcher({ backend, clock, limits: LIMITS, observer });
  const ticket = { deadlineMs: clock.nowMs() + 60_000, cancellation: new CancelSource() };
  const flow = { id: "test", weight: 1 };
  const outcomes = await Promise.all(
    texts.map((encoded) =>
      batcher.submit({ encoded, ticket, flow, lane: "online" }).then(
        ({ row }) => [...row],
        ({ code }: SluiceError) => code,
      ),
    ),
  );
  await batcher.drain();
  return { outcomes, largestBatch: Math.max(...observer.batches.map(({ items }) => items)) };
}

async function startFragileBackend(workers: number, hangTimeoutMs: number): Promise<Backend> {
  const memory = await mkdtemp(join(tmpdir(), "sluice-poison-"));
  cleanUps.push(() => rm(memory, { recursive: true, force: true }));
  const pool = await createTextPool({
    setup: { spec: createRunnerSpec(memory), niceness: 0 },
    warmup: Promise.resolve([toText([1])]),
    hangTimeoutMs,
    startThread: () => startThread(new URL("./backend-fragile-worker.ts", import.meta.url)),
  });
  cleanUps.push(() => pool.close());
  void pool.grow(workers);
  const slots = workers * SLOTS_PER_WORKER;
  const { run, close, loaded } = pool;
  const { cost, pads, description } = loaded;
  return { slots, parallelRuns: workers, cost, pads, description, run, close };
}

describe("a poisoned text among others, through the batcher and real workers", () => {
  const poisons: readonly [string, number, string][] = [
    ["that the model refuses", FRAGILE.fail, "model_failed"],
    ["that ends its worker", FRAGILE.exit, "unavailable"],
    ["that ends its worker while it runs", FRAGILE.exitLater, "unavailable"],
    ["that throws where nobody catches", FRAGILE.throwUncaught, "unavailable"],
  ];
  for (const workers of [1, 2]) {
    for (const [what, command, code] of poisons) {
      test(`one ${what} fails alone, ${workers} worker(s)`, async () => {
        const backend = await startFragileBackend(workers, 0);
        const ids = Array.from({ length: 24 }, (_, i) => (i === 13 ? command : i));
        const texts = ids.map((id) => toText([id]));
        const { outcomes, largestBatch } = await submitTogether(backend, texts);
        expect(outcomes).toEqual(ids.map((id) => (id === command ? code : [id])));
        expect(largestBatch).toBeGreaterThan(1);
      });
    }
  }

  for (const workers of [1, 2]) {
    test(`one whose run hangs every time fails alone, and the model lives on, ${workers} worker(s)`, async () => {
      const backend = await startFragileBackend(workers, 400);
      const ids = Array.from({ length: 24 }, (_, i) => (i === 13 ? FRAGILE.hang : i));
      const texts = ids.map((id) => toText([id]));
      const { outcomes } = await submitTogether(backend, texts);
      expect(outcomes).toEqual(ids.map((id) => (id === FRAGILE.hang ? "unavailable" : [id])));
      expect(await backend.run([toText([7])])).toEqual([Float32Array.of(7)]);
    });
  }

  test("one whose run hangs once costs nobody the answer", async () => {
    const backend = await startFragileBackend(1, 400);
    const ids = Array.from({ length: 24 }, (_, i) => (i === 13 ? FRAGILE.hangOnce : i));
    const { outcomes } = await submitTogether(
      backend,
      ids.map((id) => toText([id])),
    );
    expect(outcomes).toEqual(ids.map((id) => [id]));
  });
});

describe("ids outside the embedding table, through the batcher and ONNX Runtime", () => {
  for (const execution of ["inline", "workers"] as const) {
    test(`only their text fails, and all others get the rows that they get alone, ${execution}`, async () => {
      const model = await writeModelFile(createSmallEncoderBytes());
      cleanUps.push(model.remove);
      const good = createIdTexts(20, 3).map(toText);
      const backend = await createOnnxBackend(
        createBackendOptions(model.path, {
          inputs: { ids: undefined, padId: 0 },
          output: { name: undefined, width: 3, pooling: "none", normalize: false },
          maxTokens: SMALL_ENCODER.maxPositions,
          execution,
          warmup: good,
        }),
      );
      cleanUps.push(() => backend.close());
      const alone: number[][] = [];
      for (const text of good) alone.push(...(await backend.run([text])).map((row) => [...row]));
      const bad = [toText([1, SMALL_ENCODER.vocabSize]), toText([2 ** 31 - 1]), toText([5, -1, 5])];
      const texts = [...good.slice(0, 7), ...bad, ...good.slice(7)];
      const { outcomes, largestBatch } = await submitTogether(backend, texts);
      expect(outcomes).toEqual([
        ...alone.slice(0, 7),
        ...bad.map(() => "model_failed"),
        ...alone.slice(7),
      ]);
      expect(largestBatch).toBeGreaterThan(1);
    });
  }
});
