import { SluiceError } from "../../core/errors.ts";
import type { ModelRunner } from "./model-runner.ts";
import type { RunnerSpec } from "./runner-spec.ts";

/**
 * Loads a model on the calling thread.
 *
 * @throws SluiceError `invalid_argument` when the file does not fit the runtime or the spec; `unavailable` when ONNX
 * Runtime is asked for and missing.
 */
export async function loadRunner(spec: RunnerSpec): Promise<ModelRunner> {
  if (spec.runtime === "onnxruntime") {
    const { createOrtRunner } = await import("./session/ort-session.ts");
    return await createOrtRunner(spec);
  }
  const runner = await loadKernelIfFit(spec);
  if (runner !== undefined) return runner;
  throw new SluiceError(
    "invalid_argument",
    "The TypeScript kernel computes n-gram classifiers written by `sluice train` only; " +
      'this model needs the runtime "onnxruntime".',
  );
}

/**
 * The kernel for the model, or undefined when it computes other graphs.
 *
 * @throws SluiceError `invalid_argument` when the file cannot be read
 */
export async function loadKernelIfFit(spec: RunnerSpec): Promise<ModelRunner | undefined> {
  // What a thread does not use is not loaded: a worker with a transformer needs no reader of ONNX files.
  const { loadKernelRunner } = await import("./kernel/kernel-runner.ts");
  return await loadKernelRunner(spec);
}
