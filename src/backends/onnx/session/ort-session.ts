import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { InferenceSession, Tensor } from "onnxruntime-node";
import { SluiceError, toSluiceError } from "../../../core/errors.ts";
import type { EncodedText } from "../../../core/ports/tokenizer.ts";
import { CPU } from "../device.ts";
import type { ModelRunner } from "../model-runner.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import type { GraphBinding } from "./bind-graph.ts";
import { bindGraph } from "./bind-graph.ts";
import {
  describeInstallation,
  describeProvider,
  toExecutionProviders,
} from "./execution-providers.ts";
import { feedBatch } from "./feed-batch.ts";
import { toRows } from "./to-rows.ts";

type Runtime = typeof import("onnxruntime-node");

/** ONNX Runtime prints what it also throws; 4 lets it print only what ends the process. */
const LOG_SEVERITY_FATAL = 4;

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
  importRuntime: () => Promise<Runtime> = () => import("onnxruntime-node"),
): Promise<ModelRunner> {
  const runtime = await loadRuntime(importRuntime);
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

async function loadRuntime(importRuntime: () => Promise<Runtime>): Promise<Runtime> {
  try {
    const runtime = await importRuntime();
    runtime.env.logLevel = "fatal";
    return runtime;
  } catch (cause) {
    throw new SluiceError(
      "unavailable",
      "ONNX Runtime could not be loaded. Install it with `npm install onnxruntime-node`, " +
        "on a system that it supports (Linux with glibc, macOS or Windows).",
      { cause },
    );
  }
}

/** @returns the session and what computes it, for people */
async function openOnDevice(
  runtime: Runtime,
  spec: RunnerSpec,
): Promise<{ session: InferenceSession; note: string }> {
  const { device } = spec;
  await assertNotEmpty(spec.modelPath);
  if (device.kind === "cpu") return { session: await openSession(runtime, spec), note: "" };
  try {
    return { session: await openSession(runtime, spec), note: describeProvider(device) };
  } catch (thrown) {
    const { cause } = toSluiceError(thrown);
    const reason = cause instanceof Error ? cause.message : "";
    // Anything else that is wrong with the model is wrong on every device.
    if (!isProviderMissing(reason)) throw thrown;
    if (device.fallback === "cpu") {
      const session = await openSession(runtime, { ...spec, device: CPU });
      return { session, note: ` on the processor, because ${device.kind} cannot be used here` };
    }
    const message = `ONNX Runtime cannot use ${device.kind} here. ${describeInstallation(device.kind)}`;
    throw new SluiceError("unavailable", message, { cause });
  }
}

/** What ONNX Runtime says when a provider's library, the driver or the GPU itself is not there. */
function isProviderMissing(reason: string): boolean {
  return /AppendExecutionProvider|shared library|CUDA|cuDNN|TensorRT|device/i.test(reason);
}

async function assertNotEmpty(path: string): Promise<void> {
  // A file that is not there is ONNX Runtime's to report.
  const size = await stat(path).then(
    (found) => found.size,
    () => 1,
  );
  if (size === 0) throw new SluiceError("invalid_argument", "The model file is empty.");
}

async function openSession(runtime: Runtime, spec: RunnerSpec): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(spec.modelPath, {
      executionProviders: [...toExecutionProviders(spec.device)],
      graphOptimizationLevel: "all",
      intraOpNumThreads: spec.threads,
      interOpNumThreads: 1,
      logSeverityLevel: LOG_SEVERITY_FATAL,
    });
  } catch (cause) {
    const said = cause instanceof Error ? toReason(cause.message) : String(cause);
    // Whoever asks why a model failed need not learn where it lies.
    const reason = said.replaceAll(spec.modelPath, basename(spec.modelPath));
    throw new SluiceError("invalid_argument", `ONNX Runtime refused the model file: ${reason}`, {
      cause,
    });
  }
}

/** ONNX Runtime's message without the place in its own source, which comes with a whole C++ signature. */
function toReason(message: string): string {
  return message.replace(/\s*\S*onnxruntime_src\S*:\d+ .*?\) (?=[A-Z])/s, " ").trim();
}

async function runBatch(
  runtime: Runtime,
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
