import { CPU } from "../../src/backends/onnx/device.ts";
import type { OnnxBackendOptions } from "../../src/backends/onnx/onnx-backend.ts";
import type { RunnerSpec } from "../../src/backends/onnx/runner-spec.ts";
import { startThread } from "../../src/backends/onnx/workers/thread-supply.ts";
import type { EncodedText } from "../../src/core/ports/tokenizer.ts";

/** A text without a second one. */
export function toText(ids: ArrayLike<number>): EncodedText {
  return { ids: Int32Array.from(ids), secondStart: ids.length };
}

/** What to load of an n-gram classifier with two labels, in ONNX Runtime, unless a test says otherwise. */
export function createRunnerSpec(modelPath: string, changes: Partial<RunnerSpec> = {}): RunnerSpec {
  return {
    modelPath,
    runtime: "onnxruntime",
    inputs: { ids: "ids", padId: 0 },
    output: { name: "logits", width: 2, pooling: "none", normalize: false },
    maxTokens: undefined,
    threads: 1,
    device: CPU,
    ...changes,
  };
}

/** A backend for the same model with two workers, should it need any. */
export function createBackendOptions(
  modelPath: string,
  changes: Partial<OnnxBackendOptions> = {},
): OnnxBackendOptions {
  const { inputs, output, maxTokens, device } = createRunnerSpec(modelPath);
  return {
    modelPath,
    inputs,
    output,
    maxTokens,
    execution: "auto",
    runtime: "auto",
    workers: 2,
    threadsPerWorker: 1,
    niceness: 0,
    hangTimeoutMs: 0,
    inlineMaxRunMs: 0.2,
    device,
    warmup: [],
    startThread,
    ...changes,
  };
}
