import type { MessagePort } from "node:worker_threads";
import { toFirstShapes } from "../device.ts";
import type { ModelRunner } from "../model-runner.ts";
import { assertNumbers } from "../model-runner.ts";
import { measureCost } from "../placement/measure-cost.ts";
import { hostWork } from "./host-work.ts";
import type { LoadedModel, WorkerSetup } from "./text-work.ts";
import { packRows, unpackBatch } from "./text-work.ts";

/**
 * Serves one runner of texts to the pool at the other end of `port`: `hostWork`.
 *
 * @param load loads the model
 * @param setup what the thread was started with
 */
export async function hostRunner(
  port: MessagePort,
  load: () => Promise<ModelRunner>,
  setup: WorkerSetup,
): Promise<void> {
  await hostWork(
    port,
    async () => {
      const bytesBefore = process.memoryUsage.rss();
      const runner = await load();
      const loaded = await measure(runner, setup, bytesBefore);
      return {
        loaded,
        run: async (packed: Int32Array) => {
          const packedRows = packRows(assertNumbers(await runner.run(unpackBatch(packed))));
          return { packed: packedRows, transfer: [packedRows.buffer] };
        },
        close: () => runner.close(),
      };
    },
    setup,
  );
}

async function measure(
  runner: ModelRunner,
  { spec, warmup }: WorkerSetup,
  bytesBefore: number,
): Promise<LoadedModel> {
  const { maxTokens, device } = spec;
  const firstShapes = toFirstShapes(device);
  const cost = await measureCost(runner, { texts: warmup, maxTokens, firstShapes });
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  const { description, pads } = runner;
  return { description, pads, cost, memoryBytes };
}
