import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { predictRunMs } from "../placement/fit-cost.ts";
import type { LoadedModel, WorkerSetup } from "./text-work.ts";
import { TEXT_CODEC } from "./text-work.ts";
import type { WorkerPool } from "./worker-pool.ts";
import { createWorkerPool } from "./worker-pool.ts";

export interface TextPoolOptions {
  readonly setup: Omit<WorkerSetup, "isAwaited">;
  /** See `WorkerPoolOptions`. */
  readonly hangTimeoutMs: number;
  /** Program of the threads; `worker-main.ts` unless a test brings its own. */
  readonly workerUrl?: URL;
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
  hangTimeoutMs,
  workerUrl,
}: TextPoolOptions): Promise<TextPool> {
  const url = workerUrl ?? new URL("./worker-main.ts", import.meta.url);
  return createWorkerPool({
    program: { url, setup, codec: TEXT_CODEC },
    hangTimeoutMs,
    predictRunMs: (batch, { cost }: LoadedModel) => {
      let longest = 0;
      for (const { ids } of batch) longest = Math.max(longest, ids.length);
      return predictRunMs(cost, batch.length, longest);
    },
  });
}
