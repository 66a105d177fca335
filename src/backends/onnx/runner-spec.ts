/**
 * Which model to load and how, as plain data, so that it can be handed to a worker thread.
 */
export interface RunnerSpec {
  /** Path of `model.onnx`. */
  readonly modelPath: string;
  readonly runtime: "typescript" | "onnxruntime";
  /** The graph's input of ids, int64 `[batch, length]`, and the id that fills short rows. */
  readonly inputs: { readonly ids: string; readonly padId: number };
  /** The graph's output, float32 `[batch, labels]`. */
  readonly outputs: { readonly logits: string };
  readonly labelCount: number;
  /** Threads of one ONNX Runtime run; at least 1. The TypeScript kernel always uses one. */
  readonly threads: number;
}
