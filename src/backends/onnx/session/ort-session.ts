import type { InferenceSession, Tensor } from "onnxruntime-node";
import { SluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import type { ModelRunner } from "../model-runner.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import type { GraphBinding } from "./bind-graph.ts";
import { bindGraph } from "./bind-graph.ts";
import { feedBatch } from "./feed-batch.ts";
import type { OrtRuntime } from "./open-session.ts";
import { importOrt, loadOrt, openOnDevice } from "./open-session.ts";
import { toRows } from "./to-rows.ts";

/**
 * Loads a model into ONNX Runtime on the calling thread. Its `run` is synchronous in effect: it blocks the thread
 * until the batch is done, whatever promise it returns.
 *
 * @param importRuntime brings in the library; only a test that plays its absence passes another one.
 * @throws SluiceError `unavailable` when the package or the device's provider is missing; `invalid_argument` when the
 * file cannot be loaded, or when its inputs and outputs are not those of `spec`.
 */
export async function createOrtRunner(
  spec: RunnerSpec,
  importRuntime: () => Promise<OrtRuntime> = importOrt,
): Promise<ModelRunner> {
  const runtime = await loadOrt(importRuntime);
  const { session, note } = await openOnDevice(runtime, spec);
  try {
    const { inputMetadata, outputMetadata } = session;
    const binding = bindGraph(inputMetadata, outputMetadata, spec.inputs, spec.output);
    return {
      description: `onnxruntime${note}`,
      pads: true,
      run: (batch) => runBatch(runtime, session, binding, spec, batch),
      close: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function runBatch(
  runtime: OrtRuntime,
  session: InferenceSession,
  binding: GraphBinding,
  { inputs, output }: RunnerSpec,
  batch: readonly EncodedText[],
): Promise<readonly Float32Array[]> {
  const { feeds, length } = feedBatch(batch, binding, inputs.padId);
  const tensors: Record<string, Tensor> = {};
  for (const { name, type, data } of feeds) {
    tensors[name] = new runtime.Tensor(type, data, [batch.length, length]);
  }
  const { name, pooling } = binding.output;
  let values: InferenceSession.OnnxValueMapType;
  try {
    values = await session.run(tensors, [name]);
  } catch (cause) {
    throw new SluiceError("model_failed", describeFailure(cause), { cause });
  }
  const { width, normalize } = output;
  return toRows(values[name], batch, { pooling, normalize, width });
}

/** What callers are told. The library's own words may hold paths and weights' names, so they stay with the cause. */
function describeFailure(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return /out of (data )?bounds/.test(reason)
    ? "An id lies beyond the model's embedding table: tokenizer and model do not belong together."
    : "The model failed on this input.";
}
