import type { Worker } from "node:worker_threads";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { predictRunMs } from "../placement/fit-cost.ts";
import type { LoadedModel, WorkerSetup } from "./text-work.ts";
import { TEXT_CODEC } from "./text-work.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { createWorkerPool } from "./worker-pool.ts";

export interface TextPoolOptions {
  readonly setup: Omit<WorkerSetup, "isAwaited">;
  /** Typical texts to warm up and measure with; at least one. The model is loaded while they are waited for. */
  readonly warmup: Promise<readonly EncodedText[]>;
  /** See `WorkerPoolOptions`. */
  readonly hangTimeoutMs: number;
  /** Where the threads come from. */
  readonly startThread: () => Worker;
}

/**
 * The first worker is measured while the process starts, which takes a core of its own; whatever disturbs a measurement
 * makes it longer. How much memory a session takes is only seen with the first.
 */
function toLessDisturbed(known: LoadedModel, later: LoadedModel): LoadedModel {
  const isBetter = later.cost.typicalRunMs < known.cost.typicalRunMs;
  return isBetter ? { ...known, cost: later.cost } : known;
}

/** Threads that run batches of texts. */
export type TextPool = WorkerPool<readonly EncodedText[], readonly Float32Array[], LoadedModel>;

/**
 * Starts the first thread for a model of texts: `createWorkerPool`.
 *
 * @throws SluiceError the reason why the worker cannot load; its thread is gone then.
 */
export function createTextPool({
  setup,
  warmup,
  hangTimeoutMs,
  startThread,
}: TextPoolOptions): Promise<TextPool> {
  return createWorkerPool({
    program: { startThread, setup, sample: warmup, codec: TEXT_CODEC },
    hangTimeoutMs,
    prefer: toLessDisturbed,
    predictRunMs: (batch, { cost }: LoadedModel) => {
      let longest = 0;
      for (const { ids } of batch) longest = Math.max(longest, ids.length);
      return predictRunMs(cost, batch.length, longest);
    },
  });
}
