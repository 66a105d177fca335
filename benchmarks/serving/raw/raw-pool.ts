import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { IdBatch, RawReply, RawRequest, RawWorkerSetup } from "./raw-protocol.ts";

/** Threads that run a model and nothing else. */
export interface RawPool {
  /** Says what is to be run from now on, and runs some of it. */
  prepare(batches: readonly IdBatch[]): Promise<void>;
  /**
   * Runs all batches as often as fits into about `durationMs`, at least once. Never parts of them: a different share of
   * long texts would be a different speed.
   *
   * @returns texts/s: over all threads, the sum of texts divided by the thread's own time
   */
  measure(durationMs: number): Promise<number>;
  close(): Promise<void>;
}

export interface RawPoolOptions extends RawWorkerSetup {
  readonly workers: number;
}

const WARM_UP_MS = 300;

/** Loads the model in every thread. */
export async function openRawPool({ workers, ...setup }: RawPoolOptions): Promise<RawPool> {
  const url = new URL("raw-worker.ts", import.meta.url);
  const threads = Array.from({ length: workers }, () => new Worker(url, { workerData: setup }));
  await Promise.all(threads.map(receive));
  let batchCount = 0;
  let batchesPerMs = 0;

  const askAll = (request: RawRequest) => Promise.all(threads.map((one) => ask(one, request)));
  const run = async (most: number, durationMs: number) => {
    const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const replies = await askAll({ kind: "run", next, most, durationMs });
    return replies.filter((reply) => reply.kind === "done");
  };
  return {
    prepare: async (batches) => {
      await askAll({ kind: "prepare", batches });
      batchCount = batches.length;
      const done = await run(batchCount, WARM_UP_MS);
      batchesPerMs = sum(done.map((reply) => reply.batches / reply.busyMs));
    },
    measure: async (durationMs) => {
      const laps = Math.max(1, Math.round((durationMs * batchesPerMs) / batchCount));
      const done = await run(laps * batchCount, Number.POSITIVE_INFINITY);
      return sum(done.map((reply) => (reply.texts / reply.busyMs) * 1000));
    },
    close: async () => {
      const exits = threads.map((thread) => once(thread, "exit"));
      for (const thread of threads) thread.postMessage({ kind: "close" } satisfies RawRequest);
      await Promise.all(exits);
    },
  };
}

async function ask(thread: Worker, request: RawRequest): Promise<RawReply> {
  const answered = receive(thread);
  thread.postMessage(request);
  return await answered;
}

async function receive(thread: Worker): Promise<RawReply> {
  const [reply] = (await once(thread, "message")) as [RawReply];
  if (reply.kind === "failed") throw new Error(`A raw worker failed: ${reply.message}`);
  return reply;
}

/** A thread that began no batch has no rate: 0 / 0. */
function sum(rates: readonly number[]): number {
  return rates.reduce((total, rate) => total + (Number.isFinite(rate) ? rate : 0), 0);
}
