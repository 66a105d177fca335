import type { RunOptions } from "./run-options.ts";
import type { Tensor, TensorSignature } from "./tensor.ts";

/**
 * Runs a model that reads and writes tensors. One backend serves one loaded model version.
 *
 * Concurrency: up to `slots` calls of `run` may be in flight; the caller never starts more.
 */
export interface TensorBackend {
  /** Constant. */
  readonly signature: TensorSignature;
  /** How many runs may be in flight at once; at least 1, constant. */
  readonly slots: number;
  /** How many of them are computed at the same time; at least 1, at most `slots`. */
  readonly parallelRuns: number;
  /** What runs where, for people: e.g. `onnxruntime, 2 workers × 1 thread`. */
  readonly description: string;
  /** Milliseconds of a run with the smallest inputs, measured at load; undefined when the model refused to be tried. */
  readonly measuredRunMs: number | undefined;
  /**
   * Runs the model once.
   *
   * @param inputs one per input of the signature, in any order, which fit it. They stay as they are.
   * @param outputs names of the outputs to compute; at least one, each of them once and part of the signature
   * @returns one tensor per name, in the order of `outputs`; their memory is the caller's own
   * @throws SluiceError `model_failed` when the model refuses these inputs; `unavailable` when the worker died or hung
   * and a second attempt did too, or after `close`.
   */
  run(
    inputs: readonly Tensor[],
    outputs: readonly string[],
    options?: RunOptions,
  ): Promise<readonly Tensor[]>;
  /** Lets running requests finish, then frees memory and threads. Idempotent. */
  close(): Promise<void>;
}
