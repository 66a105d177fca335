import type { DeviceOptions } from "./device.ts";

/** Which inputs of the graph are fed. */
export interface InputNames {
  /** The input of ids; undefined: found by its usual name. */
  readonly ids: string | undefined;
  /** Fills short rows. */
  readonly padId: number;
}

/** What of the graph's outputs is the answer for a text. */
export interface OutputSpec {
  /** undefined: found by its usual name or its shape. */
  readonly name: string | undefined;
  /** Values per text; undefined: whatever the graph gives. */
  readonly width: number | undefined;
  /** How one vector per token becomes one per text, for outputs `[batch, tokens, values]`. */
  readonly pooling: "none" | "mean" | "cls";
  /** Bring every row to length 1. */
  readonly normalize: boolean;
}

/** Which model to load and how, as plain data, so that it can be handed to a worker thread. */
export interface RunnerSpec {
  /** Path of `model.onnx`. */
  readonly modelPath: string;
  readonly runtime: "typescript" | "onnxruntime";
  readonly inputs: InputNames;
  readonly output: OutputSpec;
  /** Longest text that the model reads; undefined: any. */
  readonly maxTokens: number | undefined;
  /** Threads of one ONNX Runtime run; at least 1. The TypeScript kernel always uses one. */
  readonly threads: number;
  readonly device: DeviceOptions;
}
