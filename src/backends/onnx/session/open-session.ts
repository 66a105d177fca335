import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import { SluiceError, toSluiceError } from "../../../core/errors.ts";
import type { DeviceOptions } from "../device.ts";
import { CPU } from "../device.ts";
import {
  describeInstallation,
  describeProvider,
  toExecutionProviders,
} from "./execution-providers.ts";

/** The library, `onnxruntime-node`. */
export type OrtRuntime = typeof import("onnxruntime-node");

/** Which file to load, and what computes it. */
export interface SessionSpec {
  /** Path of `model.onnx`. */
  readonly modelPath: string;
  /** Threads of one run; at least 1. */
  readonly threads: number;
  readonly device: DeviceOptions;
}

/** ONNX Runtime prints what it also throws; 4 lets it print only what ends the process. */
const LOG_SEVERITY_FATAL = 4;

/** Brings in the library. */
export const importOrt = (): Promise<OrtRuntime> => import("onnxruntime-node");

/**
 * Loads the library, and keeps it quiet.
 *
 * @throws SluiceError `unavailable` when the package is missing.
 */
export async function loadOrt(importRuntime: () => Promise<OrtRuntime>): Promise<OrtRuntime> {
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

/**
 * Loads a model where it is to be computed.
 *
 * @returns the session and what computes it, for people
 * @throws SluiceError `unavailable` when the device's provider is missing; `invalid_argument` when the file cannot be
 * loaded.
 */
export async function openOnDevice(
  runtime: OrtRuntime,
  spec: SessionSpec,
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

async function openSession(runtime: OrtRuntime, spec: SessionSpec): Promise<InferenceSession> {
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
