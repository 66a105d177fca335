import type { RunCost } from "../../core/ports/backend.ts";
import type { EncodedText } from "../../core/ports/tokenizer.ts";
import { formatMs } from "./describe-figures.ts";
import { createInlineBackend } from "./inline-backend.ts";
import { loadKernelIfFit, loadRunner } from "./load-runner.ts";
import type { ModelRunner } from "./model-runner.ts";
import type { OnnxBackend, OnnxBackendOptions } from "./onnx-backend.ts";
import { measureCost } from "./placement/measure-cost.ts";
import type { RunnerSpec } from "./runner-spec.ts";
import { spreadOverCores } from "./workers/spread-over-cores.ts";
import { createTextPool } from "./workers/text-pool.ts";

interface LoadPlan {
  readonly options: OnnxBackendOptions;
  readonly spec: RunnerSpec;
  readonly warmup: Promise<readonly EncodedText[]>;
}

/**
 * Loads an ONNX model and decides how it runs. `description` tells the decision and its figures, for example
 * `typescript kernel, inline (0.004 ms a text)`.
 *
 * In workers, the backend is ready as soon as the first worker has loaded and measured the model; the others join as
 * they load. Only where other layouts than one thread per core have a chance (`placement/layouts.ts`) are they compared
 * before it is ready, because the number of slots must not change later.
 *
 * @throws SluiceError `invalid_argument` when the file cannot be loaded or does not fit the names and sizes;
 * `unavailable` when ONNX Runtime or the device is needed and missing; `model_failed` when the model refuses the
 * warm-up texts.
 */
export async function createOnnxBackend(options: OnnxBackendOptions): Promise<OnnxBackend> {
  const padding = { ids: Int32Array.of(options.inputs.padId), secondStart: 1 };
  const warmup = Promise.resolve(options.warmup).then((texts) =>
    texts.length > 0 ? texts : [padding],
  );
  // Whoever waits for the texts learns why there are none; until then nobody does.
  warmup.catch(() => {});
  const { modelPath, inputs, output, maxTokens, device } = options;
  const threads = Math.max(1, options.threadsPerWorker);
  const spec = { modelPath, inputs, output, maxTokens, threads, device };
  const kernelPlan: LoadPlan = { options, spec: { ...spec, runtime: "typescript" }, warmup };
  const ortPlan: LoadPlan = { options, spec: { ...spec, runtime: "onnxruntime" }, warmup };

  if (options.runtime === "onnxruntime") return await placeOrt(ortPlan);
  if (options.runtime === "typescript") {
    return await placeKernel(kernelPlan, await loadRunner(kernelPlan.spec));
  }
  const kernel = await loadKernelIfFit(kernelPlan.spec);
  return kernel === undefined ? await placeOrt(ortPlan) : await placeKernel(kernelPlan, kernel);
}

/** A kernel is nearly always fast enough for this thread, where it is loaded already. */
async function placeKernel(plan: LoadPlan, kernel: ModelRunner): Promise<OnnxBackend> {
  const { execution, inlineMaxRunMs } = plan.options;
  if (execution === "workers") return await spreadOverCores(plan, await startPool(plan));
  const inline = await createInline(plan, kernel);
  if (execution === "inline" || inline.measuredRunMs <= inlineMaxRunMs) return inline;
  await inline.close();
  return await spreadOverCores(plan, await startPool(plan));
}

/**
 * A model for ONNX Runtime mostly belongs into workers, so it is measured there: loading a large one here would block
 * the event loop of a server that is already answering.
 */
async function placeOrt(plan: LoadPlan): Promise<OnnxBackend> {
  const { execution, inlineMaxRunMs } = plan.options;
  if (execution === "inline") return await createInline(plan, await loadRunner(plan.spec));
  const pool = await startPool(plan);
  const isFast = pool.loaded.cost.typicalRunMs <= inlineMaxRunMs;
  if (execution === "workers" || !isFast) return await spreadOverCores(plan, pool);
  await pool.close();
  return await createInline(plan, await loadRunner(plan.spec));
}

function startPool({ options, spec, warmup }: LoadPlan) {
  const { niceness, hangTimeoutMs, startThread } = options;
  return createTextPool({ setup: { spec, niceness }, warmup, hangTimeoutMs, startThread });
}

async function createInline(plan: LoadPlan, runner: ModelRunner): Promise<OnnxBackend> {
  const { options, spec, warmup } = plan;
  try {
    const { maxTokens } = spec;
    const cost = await measureCost(runner, { texts: await warmup, maxTokens, firstShapes: [] });
    const { fixedMs, perTokenMs, typicalRunMs } = cost;
    const runCost: RunCost = { fixedMs, perTokenMs };
    const description = `${runner.description}, inline (${formatMs(typicalRunMs)} a text)`;
    const why = options.execution === "inline" ? "as configured" : "a run is short enough";
    return {
      ...createInlineBackend(runner, description, runCost),
      runtime: spec.runtime,
      execution: "inline",
      measuredRunMs: typicalRunMs,
      placement: { workers: 0, threads: spec.threads, why, tried: [] },
      memoryBytesPerSession: undefined,
    };
  } catch (error) {
    await runner.close();
    throw error;
  }
}
