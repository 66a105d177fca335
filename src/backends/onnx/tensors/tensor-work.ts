import type { MessagePort } from "node:worker_threads";
import type { Tensor, TensorSignature } from "../../../core/ports/tensor.ts";
import type { SessionSpec } from "../session/open-session.ts";
import { hostWork } from "../workers/host-work.ts";
import type { WorkCodec, WorkerStart } from "../workers/worker-protocol.ts";
import { packCopies, packOwn } from "./pack-tensors.ts";
import type { TensorRunner } from "./tensor-runner.ts";
import type { SmallestRun } from "./try-smallest.ts";
import { trySmallest } from "./try-smallest.ts";

/** What a worker thread that runs tensors has to load. */
export interface TensorSetup extends WorkerStart {
  readonly spec: SessionSpec;
}

/** What a worker says about itself once it has loaded the model. */
export interface LoadedTensorModel {
  readonly signature: TensorSignature;
  readonly description: string;
  /** Undefined when the model refused to be tried. */
  readonly smallestRun: SmallestRun | undefined;
  /** By how much the process grew meanwhile. */
  readonly memoryBytes: number;
}

/** One run. */
export interface TensorJob {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly string[];
}

/** How a run travels to a worker, and what comes out of it back. */
export const TENSOR_CODEC: WorkCodec<TensorJob, readonly Tensor[], TensorJob, readonly Tensor[]> = {
  pack: ({ inputs, outputs }) => {
    const { packed, transfer } = packCopies(inputs);
    return { packed: { inputs: packed, outputs }, transfer };
  },
  unpack: (tensors) => tensors,
};

/**
 * Serves one runner of tensors to the pool at the other end of `port`: `hostWork`.
 *
 * @param load loads the model
 */
export function hostTensorRunner(
  port: MessagePort,
  load: (spec: SessionSpec) => Promise<TensorRunner>,
): void {
  hostWork(port, async ({ spec }: TensorSetup) => {
    const bytesBefore = process.memoryUsage.rss();
    const runner = await load(spec);
    return {
      try: () => describe(runner, bytesBefore),
      run: async ({ inputs, outputs }: TensorJob) => packOwn(await runner.run(inputs, outputs)),
      close: () => runner.close(),
    };
  });
}

async function describe(runner: TensorRunner, bytesBefore: number): Promise<LoadedTensorModel> {
  const smallestRun = await trySmallest(runner);
  const memoryBytes = Math.max(0, process.memoryUsage.rss() - bytesBefore);
  const { signature, description } = runner;
  return { signature, description, smallestRun, memoryBytes };
}
