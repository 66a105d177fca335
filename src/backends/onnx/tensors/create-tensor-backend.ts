import type { Worker } from "node:worker_threads";
import type { Tensor } from "../../../core/ports/tensor.ts";
import type { TensorBackend } from "../../../core/ports/tensor-backend.ts";
import { formatCount, formatMs } from "../describe-figures.ts";
import type { DeviceOptions } from "../device.ts";
import { countCores } from "../placement/count-cores.ts";
import type { WorkerLayout } from "../placement/layouts.ts";
import { countFittingModels, listLayouts } from "../placement/layouts.ts";
import { startThread } from "../workers/thread-supply.ts";
import type { WorkerPool } from "../workers/worker-pool.ts";
import { createWorkerPool, SLOTS_PER_WORKER } from "../workers/worker-pool.ts";
import type { LoadedTensorModel, TensorJob } from "./tensor-work.ts";
import { TENSOR_CODEC } from "./tensor-work.ts";

/** What to run and how. Defaults and meanings: `inference` and `device` in the configuration reference. */
export interface TensorBackendOptions {
  /** Path of `model.onnx`. */
  readonly modelPath: string;
  /** Worker threads; 0 = as many as cores and memory hold. */
  readonly workers: number;
  /** Threads of one run; 0 = 1, more only where memory holds fewer models than there are cores. */
  readonly threadsPerWorker: number;
  /** How far worker threads step back for others, 0..19; Linux only. */
  readonly niceness: number;
  /** Time after which a run counts as hung, unless larger inputs than those tried explain it; 0 = never. */
  readonly hangTimeoutMs: number;
  readonly device: DeviceOptions;
  /** Where threads come from; ones that run `tensor-worker-main.ts` unless a test brings its own. */
  readonly startThread?: () => Worker;
}

type TensorPool = WorkerPool<TensorJob, readonly Tensor[], LoadedTensorModel>;

/**
 * Loads any ONNX model, and runs it in worker threads: how long a run takes depends on what callers send, so none may
 * block the event loop. It is ready as soon as the first worker has loaded the model; the others join as they load.
 *
 * @throws SluiceError `invalid_argument` when the file cannot be loaded, or has inputs that no caller can give;
 * `unavailable` when ONNX Runtime or the device is missing
 */
export async function createTensorBackend(options: TensorBackendOptions): Promise<TensorBackend> {
  const first = await createPool(options, Math.max(1, options.threadsPerWorker));
  try {
    const layout = chooseLayout(options, first.loaded);
    const pool = await takeOver(options, first, layout);
    // Settles when all have joined, and never rejects.
    void pool.grow(layout.workers);
    return toBackend(pool, layout);
  } catch (error) {
    await first.close();
    throw error;
  }
}

function toBackend(pool: TensorPool, { workers, threads }: WorkerLayout): TensorBackend {
  const { signature, description, smallestRun, memoryBytes } = pool.loaded;
  const layout = `${formatCount(workers, "worker")} × ${formatCount(threads, "thread")}`;
  const time = smallestRun === undefined ? "not tried" : `from ${formatMs(smallestRun.ms)} a run`;
  const memory = `${Math.round(memoryBytes / 1e6)} MB a session`;
  return {
    signature,
    slots: workers * SLOTS_PER_WORKER,
    parallelRuns: workers,
    description: `${description}, ${layout}, ${time}, ${memory}`,
    measuredRunMs: smallestRun?.ms,
    run: (inputs, outputs) => pool.run({ inputs, outputs }),
    close: () => pool.close(),
  };
}

function chooseLayout(options: TensorBackendOptions, loaded: LoadedTensorModel): WorkerLayout {
  const { workers, threadsPerWorker, device } = options;
  const threads = Math.max(1, threadsPerWorker);
  // Every session would hold the weights once more, and a GPU computes one run at a time.
  if (device.kind !== "cpu") return { workers: Math.max(1, workers), threads };
  const { layouts } = listLayouts({
    cores: countCores(),
    fixed: { workers, threads: threadsPerWorker },
    runMs: loaded.smallestRun?.ms ?? 0,
    maxModels: countFittingModels(loaded.memoryBytes, process.availableMemory()),
  });
  return layouts[0] ?? { workers: 1, threads };
}

/** The first pool when it was loaded with the right number of threads; otherwise a new one in its place. */
async function takeOver(
  options: TensorBackendOptions,
  first: TensorPool,
  { threads }: WorkerLayout,
): Promise<TensorPool> {
  if (threads === Math.max(1, options.threadsPerWorker)) return first;
  await first.close();
  return await createPool(options, threads);
}

function createPool(options: TensorBackendOptions, threads: number): Promise<TensorPool> {
  const { modelPath, device, niceness, hangTimeoutMs, startThread = startTensorThread } = options;
  const setup = { spec: { modelPath, threads, device }, niceness };
  return createWorkerPool({
    program: { startThread, setup, sample: NO_SAMPLE, codec: TENSOR_CODEC },
    hangTimeoutMs,
    prefer: (known) => known,
    predictRunMs,
  });
}

const PROGRAM = new URL("./tensor-worker-main.ts", import.meta.url);
const startTensorThread = () => startThread(PROGRAM);
/** Models of tensors are tried with zeros. */
const NO_SAMPLE = Promise.resolve();

/** In proportion to the smallest run, as if every element cost the same. */
function predictRunMs({ inputs }: TensorJob, { smallestRun }: LoadedTensorModel): number {
  if (smallestRun === undefined) return 0;
  const elements = inputs.reduce((sum, { data }) => sum + data.length, 0);
  return smallestRun.ms * Math.max(1, elements / smallestRun.elements);
}
