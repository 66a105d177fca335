import type { Worker } from "node:worker_threads";
import type { Backend } from "../../core/ports/backend.ts";
import type { EncodedText } from "../../core/ports/tokenizer.ts";
import type { DeviceOptions } from "./device.ts";
import type { MeasuredLayout, WorkerLayout } from "./placement/layouts.ts";
import type { InputNames, OutputSpec } from "./runner-spec.ts";

/** What to run and how. Defaults and meanings: `inference` and `device` in the configuration reference. */
export interface OnnxBackendOptions {
  /** Path of `model.onnx`. */
  readonly modelPath: string;
  readonly inputs: InputNames;
  readonly output: OutputSpec;
  /** Longest text that the model reads, in ids; undefined: any. */
  readonly maxTokens: number | undefined;
  /** `inline` is the calling thread. `auto` measures a run and stays inline when it is short. */
  readonly execution: "auto" | "inline" | "workers";
  /** `auto` takes the TypeScript kernel for the graphs that it computes and ONNX Runtime for the others. */
  readonly runtime: "auto" | "typescript" | "onnxruntime";
  /** Threads when it comes to workers; 0 = measure what is best, usually one per core. */
  readonly workers: number;
  /** Threads of one ONNX Runtime run; 0 = measure what is best, usually 1. */
  readonly threadsPerWorker: number;
  /** How far worker threads step back for others, 0..19; Linux only. */
  readonly niceness: number;
  /** Time after which a run in a worker counts as hung; 0 = never. A run inline cannot be watched. */
  readonly hangTimeoutMs: number;
  /** Up to which run time of an ordinary text, in milliseconds, `auto` runs inline. */
  readonly inlineMaxRunMs: number;
  readonly device: DeviceOptions;
  /**
   * Typical texts to warm up and measure with. Without any, a text of one padding id stands in. The model is loaded
   * while they are waited for; when they do not come, it cannot be.
   */
  readonly warmup: readonly EncodedText[] | Promise<readonly EncodedText[]>;
  /** Where threads come from, when it comes to workers: see `createThreadSupply`. */
  readonly startThread: () => Worker;
}

/** How the model is spread over threads, and why. */
export interface PlacementReport extends WorkerLayout {
  /** For people: what decided. */
  readonly why: string;
  /** What was compared; empty when there was nothing to compare. */
  readonly tried: readonly MeasuredLayout[];
}

/** The embedded backend, with what was decided and measured when it was created. */
export interface OnnxBackend extends Backend {
  readonly runtime: "typescript" | "onnxruntime";
  readonly execution: "inline" | "workers";
  /** Predicted time of a run with one ordinary text, in milliseconds. */
  readonly measuredRunMs: number;
  readonly placement: PlacementReport;
  /** By how much the process grew with the first loaded model; undefined when it runs inline. */
  readonly memoryBytesPerSession: number | undefined;
}
