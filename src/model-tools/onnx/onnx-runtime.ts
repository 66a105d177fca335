import type { InferenceSession } from "onnxruntime-node";
import { SluiceError } from "../../core/errors.ts";

export type OnnxRuntime = typeof import("onnxruntime-node");

/** ONNX Runtime prints what it also throws; 4 lets it print only what ends the process. */
const LOG_SEVERITY_FATAL = 4;

/**
 * Loads the library, which most commands can do without.
 *
 * @throws SluiceError `unavailable` when it is not installed or does not run here.
 */
export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  try {
    const runtime = await import("onnxruntime-node");
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

/**
 * Opens a model on the processor, with everything that the optimizer can do, as the server does. (The server's own
 * opening is `backends/onnx/session/ort-session.ts`: it knows other devices, and hides paths from callers.)
 *
 * @param model path of its file, which may have weights beside it; or its bytes, with all weights inside.
 * @param threads of one run.
 * @throws SluiceError `invalid_argument` when ONNX Runtime refuses the model.
 */
export async function openOrtSession(
  { InferenceSession }: OnnxRuntime,
  model: string | Uint8Array,
  threads: number,
): Promise<InferenceSession> {
  const options: InferenceSession.SessionOptions = {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "all",
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: LOG_SEVERITY_FATAL,
  };
  try {
    return typeof model === "string"
      ? await InferenceSession.create(model, options)
      : await InferenceSession.create(model, options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError("invalid_argument", `ONNX Runtime refused the model: ${reason}`, {
      cause,
    });
  }
}
