import type { Backend } from "../../core/ports/backend.ts";
import type { EncodedText } from "../../core/ports/tokenizer.ts";
import { createInlineBackend } from "./inline-backend.ts";
import { loadKernelRunner } from "./kernel-runner.ts";
import { loadRunner } from "./load-runner.ts";
import { measureRunMs } from "./measure-run.ts";
import type { ModelRunner } from "./model-runner.ts";
import type { RunnerSpec } from "./runner-spec.ts";
import { createWorkerPool } from "./worker-pool.ts";

export interface OnnxBackendOptions {
  /** Path of `model.onnx`. */
  readonly modelPath: string;
  /** The graph's input of ids, int64 `[batch, length]`, and the id that fills short rows. */
  readonly inputs: { readonly ids: string; readonly padId: number };
  /** The graph's output, float32 `[batch, labels]`. */
  readonly outputs: { readonly logits: string };
  readonly labelCount: number;
  /** `inline` is the calling thread. `auto` measures a run and stays inline when it is short. */
  readonly execution: "auto" | "inline" | "workers";
  /** `auto` takes the TypeScript kernel for the graphs that it computes and ONNX Runtime for the others. */
  readonly runtime: "auto" | "typescript" | "onnxruntime";
  /** Threads when it comes to workers; at least 1, best one per core. */
  readonly workers: number;
  /** Threads of one ONNX Runtime run; best 1. */
  readonly threadsPerWorker: number;
  /** Up to which median run time of a single text, in milliseconds, `auto` runs inline. */
  readonly inlineMaxRunMs: number;
  /** Typical texts to warm up and measure with. Without any, a text of one padding id stands in. */
  readonly warmup: readonly EncodedText[];
}

/** The embedded backend, with what was decided and measured when it was created. */
export interface OnnxBackend extends Backend {
  readonly runtime: "typescript" | "onnxruntime";
  readonly execution: "inline" | "workers";
  /** Median time of a run with a single warm-up text. */
  readonly measuredRunMs: number;
}

interface LoadPlan {
  readonly options: OnnxBackendOptions;
  readonly spec: RunnerSpec;
  readonly warmup: readonly Int32Array[];
}

/**
 * Loads an ONNX model and decides how it runs. `description` tells the decision and its figure, for example
 * `typescript kernel, inline (0.004 ms a text)`.
 *
 * @throws SluiceError `invalid_argument` when the file cannot be loaded or does not fit the names and label count;
 * `unavailable` when ONNX Runtime is needed and missing; `model_failed` when the model refuses the warm-up texts.
 */
export async function createOnnxBackend(options: OnnxBackendOptions): Promise<OnnxBackend> {
  const warmup =
    options.warmup.length > 0
      ? options.warmup.map(({ ids }) => ids)
      : [Int32Array.of(options.inputs.padId)];
  const { modelPath, inputs, outputs, labelCount, threadsPerWorker: threads } = options;
  const spec = { modelPath, inputs, outputs, labelCount, threads };
  const kernelPlan: LoadPlan = { options, spec: { ...spec, runtime: "typescript" }, warmup };
  const ortPlan: LoadPlan = { options, spec: { ...spec, runtime: "onnxruntime" }, warmup };

  if (options.runtime === "onnxruntime") return await placeOrt(ortPlan);
  if (options.runtime === "typescript") {
    return await placeKernel(kernelPlan, await loadRunner(kernelPlan.spec));
  }
  const kernel = await loadKernelRunner(kernelPlan.spec);
  return kernel === undefined ? await placeOrt(ortPlan) : await placeKernel(kernelPlan, kernel);
}

/** A kernel is nearly always fast enough for this thread, where it is loaded already. */
async function placeKernel(plan: LoadPlan, kernel: ModelRunner): Promise<OnnxBackend> {
  const { execution, inlineMaxRunMs } = plan.options;
  if (execution === "workers") return await createWorkers(plan);
  const inline = await createInline(plan, kernel);
  if (execution === "inline" || inline.measuredRunMs <= inlineMaxRunMs) return inline;
  await inline.close();
  return await createWorkers(plan);
}

/**
 * A model for ONNX Runtime mostly belongs into workers, so it is measured there: loading a large one here would block
 * the event loop of a server that is already answering.
 */
async function placeOrt(plan: LoadPlan): Promise<OnnxBackend> {
  const { execution, inlineMaxRunMs } = plan.options;
  if (execution === "inline") return await createInline(plan, await loadRunner(plan.spec));
  const workers = await createWorkers(plan);
  if (execution === "workers" || workers.measuredRunMs > inlineMaxRunMs) return workers;
  await workers.close();
  return await createInline(plan, await loadRunner(plan.spec));
}

async function createInline(plan: LoadPlan, runner: ModelRunner): Promise<OnnxBackend> {
  try {
    const measuredRunMs = await measureRunMs(runner, plan.warmup);
    const description = `${runner.description}, inline (${formatMs(measuredRunMs)} a text)`;
    const backend = createInlineBackend(runner, description);
    return { ...backend, runtime: plan.spec.runtime, execution: "inline", measuredRunMs };
  } catch (error) {
    await runner.close();
    throw error;
  }
}

async function createWorkers(plan: LoadPlan): Promise<OnnxBackend> {
  const { spec, warmup, options } = plan;
  const pool = await createWorkerPool({ setup: { spec, warmup }, workers: options.workers });
  const times = pool.loadedWorkers.map((worker) => worker.measuredRunMs).sort((a, b) => a - b);
  // The fastest worker: the others measured while somebody else was still loading.
  const measuredRunMs = times[0] ?? 0;
  const threads = spec.runtime === "onnxruntime" ? ` × ${count(spec.threads, "thread")}` : "";
  const description = `${pool.loadedWorkers[0]?.description}, ${count(options.workers, "worker")}${threads} (${formatMs(measuredRunMs)} a text)`;
  const { slots, run, close } = pool;
  const { runtime } = spec;
  return { slots, description, run, close, runtime, execution: "workers", measuredRunMs };
}

function count(amount: number, noun: string): string {
  return amount === 1 ? `1 ${noun}` : `${amount} ${noun}s`;
}

/** About two significant digits, never in exponent form. */
function formatMs(ms: number): string {
  const digits = ms <= 0 ? 0 : Math.min(Math.max(1 - Math.floor(Math.log10(ms)), 0), 6);
  return `${ms.toFixed(digits)} ms`;
}
