import { SluiceError } from "../../core/errors.ts";
import { loadKernelRunner } from "./kernel/kernel-runner.ts";
import type { ModelRunner } from "./model-runner.ts";
import type { RunnerSpec } from "./runner-spec.ts";
import { createOrtRunner } from "./session/ort-session.ts";

/**
 * Loads a model on the calling thread.
 *
 * @throws SluiceError `invalid_argument` when the file does not fit the runtime or the spec; `unavailable` when ONNX
 * Runtime is asked for and missing.
 */
export async function loadRunner(spec: RunnerSpec): Promise<ModelRunner> {
  if (spec.runtime === "onnxruntime") return await createOrtRunner(spec);
  const runner = await loadKernelRunner(spec);
  if (runner !== undefined) return runner;
  throw new SluiceError(
    "invalid_argument",
    "The TypeScript kernel computes n-gram classifiers written by `sluice train` only; " +
      'this model needs the runtime "onnxruntime".',
  );
}
