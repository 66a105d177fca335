import type { MessagePort } from "node:worker_threads";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { toFirstShapes } from "../device.ts";
import type { ModelRunner } from "../model-runner.ts";
import { assertNumbers } from "../model-runner.ts";
import { measureCost } from "../placement/measure-cost.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import { hostWork } from "./host-work.ts";
import type { LoadedModel, WorkerSetup } from "./text-work.ts";
import { packRows, unpackBatch } from "./text-work.ts";

/**
 * Serves one runner of texts to the pool at the other end of `port`: `hostWork`.
 *
 * @param load loads the model
 */
export function hostRunner(
  port: MessagePort,
  load: (spec: RunnerSpec) => Promise<ModelRunner>,
): void {
  hostWork(port, async ({ spec }: WorkerSetup) => {
    const bytesBefore = process.memoryUsage.rss();
    const runner = await load(spec);
    return {
      try: (texts: readonly EncodedText[]) => measure(runner, spec, texts, bytesBefore),
      run: async (packed: Int32Array) => {
        const packedRows = packRows(assertNumbers(await runner.run(unpackBatch(packed))));
        return { packed: packedRows, transfer: [packedRows.buffer] };
      },
      close: () => runner.close(),
    };
  });
}

async function measure(
  runner: ModelRunner,
  { maxTokens, device }: RunnerSpec,
  texts: readonly EncodedText[],
  bytesBefore: number,
): Promise<LoadedModel> {
  const firstShapes = toFirstShapes(device);
  const cost = await measureCost(runner, { texts, maxTokens, firstShapes });
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  const { description, pads } = runner;
  return { description, pads, cost, memoryBytes };
}
