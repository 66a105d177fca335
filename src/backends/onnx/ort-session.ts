import type { InferenceSession, Tensor } from "onnxruntime-node";
import { SluiceError } from "../../core/errors.ts";
import type { ModelRunner } from "./model-runner.ts";
import type { RunnerSpec } from "./runner-spec.ts";

type Runtime = typeof import("onnxruntime-node");

/** ONNX Runtime prints what it also throws; 4 lets it print only what ends the process. */
const LOG_SEVERITY_FATAL = 4;

/**
 * Loads a model into ONNX Runtime on the calling thread. Its `run` is synchronous in effect: it blocks the thread
 * until the batch is done, whatever promise it returns.
 *
 * @param importRuntime brings in the library; only a test that plays its absence passes another one.
 * @throws SluiceError `unavailable` when the package cannot be loaded; `invalid_argument` when the file cannot be, or
 * when its inputs and outputs are not those of `spec`.
 */
export async function createOrtRunner(
  spec: RunnerSpec,
  importRuntime: () => Promise<Runtime> = () => import("onnxruntime-node"),
): Promise<ModelRunner> {
  const runtime = await loadRuntime(importRuntime);
  const session = await openSession(runtime, spec);
  try {
    assertInput(session, spec);
    assertOutput(session, spec);
  } catch (error) {
    await session.release();
    throw error;
  }
  return {
    description: "onnxruntime",
    run: (batch) => runBatch(runtime, session, spec, batch),
    close: () => session.release(),
  };
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

async function openSession(runtime: Runtime, spec: RunnerSpec): Promise<InferenceSession> {
  try {
    return await runtime.InferenceSession.create(spec.modelPath, {
      executionProviders: ["cpu"],
      graphOptimizationLevel: "all",
      intraOpNumThreads: spec.threads,
      interOpNumThreads: 1,
      logSeverityLevel: LOG_SEVERITY_FATAL,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError("invalid_argument", `ONNX Runtime refused the model file: ${reason}`, {
      cause,
    });
  }
}

/** Exactly one input: the graph derives whatever else it needs, such as a mask, from the ids. */
function assertInput(session: InferenceSession, spec: RunnerSpec): void {
  const [input, ...rest] = session.inputMetadata;
  const fits =
    input?.isTensor === true &&
    rest.length === 0 &&
    input.name === spec.inputs.ids &&
    input.type === "int64" &&
    input.shape.length === 2;
  if (fits) return;
  throw new SluiceError(
    "invalid_argument",
    `The model must have one input "${spec.inputs.ids}", int64 [batch, length]; ` +
      `found ${describeValues(session.inputMetadata)}.`,
  );
}

function assertOutput(session: InferenceSession, spec: RunnerSpec): void {
  const output = session.outputMetadata.find(({ name }) => name === spec.outputs.logits);
  const labels = output?.isTensor === true ? output.shape[1] : undefined;
  const fits =
    output?.isTensor === true &&
    output.type === "float32" &&
    output.shape.length === 2 &&
    // A size that is known only at run time is checked on every run.
    (labels === spec.labelCount || typeof labels === "string");
  if (fits) return;
  throw new SluiceError(
    "invalid_argument",
    `The model must have an output "${spec.outputs.logits}", float32 [batch, ${spec.labelCount}]; ` +
      `found ${describeValues(session.outputMetadata)}.`,
  );
}

function describeValues(values: readonly InferenceSession.ValueMetadata[]): string {
  const described = values.map((value) =>
    value.isTensor
      ? `"${value.name}" ${value.type} [${value.shape.join(", ")}]`
      : `"${value.name}" (not a tensor)`,
  );
  return described.join(", ") || "none";
}

async function runBatch(
  runtime: Runtime,
  session: InferenceSession,
  spec: RunnerSpec,
  batch: readonly Int32Array[],
): Promise<readonly Float32Array[]> {
  const { labelCount, inputs, outputs } = spec;
  const { data, length } = padBatch(batch, inputs.padId);
  const ids = new runtime.Tensor("int64", data, [batch.length, length]);
  let logits: Tensor | undefined;
  try {
    const values = await session.run({ [inputs.ids]: ids }, [outputs.logits]);
    logits = values[outputs.logits];
  } catch (cause) {
    throw new SluiceError("model_failed", "The model failed on this input.", { cause });
  }
  const scores = logits?.data;
  if (!(scores instanceof Float32Array) || scores.length !== batch.length * labelCount) {
    throw new SluiceError(
      "model_failed",
      `The model returned [${logits?.dims.join(", ")}] where [${batch.length}, ${labelCount}] was expected.`,
    );
  }
  return batch.map((_, row) => scores.slice(row * labelCount, (row + 1) * labelCount));
}

/** All texts as one int64 matrix, as long as the longest. */
function padBatch(
  batch: readonly Int32Array[],
  padId: number,
): { data: BigInt64Array; length: number } {
  const length = batch.reduce((longest, ids) => Math.max(longest, ids.length), 0);
  const data = new BigInt64Array(batch.length * length);
  if (padId !== 0) data.fill(BigInt(padId));
  // Making a BigInt per id costs more than the rest of this function, so the low halves are written directly
  // (memory is little-endian); the high halves stay zero because no id is negative.
  const halves = new Int32Array(data.buffer);
  for (const [row, ids] of batch.entries()) {
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      if (id < 0) throw new SluiceError("model_failed", `Ids are not negative; found ${id}.`);
      halves[2 * (row * length + i)] = id;
    }
  }
  return { data, length };
}
