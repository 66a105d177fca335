import type { RunOptions } from "./run-options.ts";
import type { EncodedText } from "./tokenizer.ts";

/**
 * What a run costs on one worker, measured when the model was loaded: about `fixedMs + perTokenMs × ids`, padding
 * counted. Their ratio says how much padding two texts may waste before two runs are cheaper than one.
 */
export interface RunCost {
  /** Milliseconds of a run whatever it holds; ≥ 0. */
  readonly fixedMs: number;
  /** Milliseconds for each id of the padded batch; > 0. */
  readonly perTokenMs: number;
}

/** How a text was read by a server that cuts texts itself. */
export interface TextReading {
  /** Pieces; at least 1. */
  readonly windows: number;
  /** Something was left out. */
  readonly truncated: boolean;
}

/** What came of a batch: one row per text, in order, all of the same length. */
export interface BatchRows extends ReadonlyArray<Float32Array> {
  /** One per row, where the model runs elsewhere and its server tells. */
  readonly readings?: readonly TextReading[];
}

/**
 * Runs a model on batches. One backend serves one loaded model version.
 *
 * Concurrency: up to `slots` calls of `run` may be in flight; the caller never starts more. A backend with several
 * workers offers two slots per worker, so that the next batch is already there when a run ends.
 */
export interface Backend {
  /** How many batches may be in flight at once; at least 1, constant. */
  readonly slots: number;
  /** How many of them are computed at the same time; at least 1, at most `slots`. */
  readonly parallelRuns: number;
  /** What runs where, for people: e.g. `typescript kernel, inline` or `onnxruntime, 2 workers`. */
  readonly description: string;
  /** Another object takes its place when the backend has measured it better. */
  readonly cost: RunCost;
  /** False when texts of different length share a run without padding, as bags of n-grams do. */
  readonly pads: boolean;
  /**
   * Runs one batch of 1 or more texts.
   *
   * @returns one row per text, in order, all of the same length: logits, one per label, or the values of a vector.
   * @throws SluiceError `model_failed` when the model refuses this batch; `unavailable` when the worker died or hung
   * and a second attempt did too. All members of a failed batch are unanswered.
   */
  run(batch: readonly EncodedText[], options?: RunOptions): Promise<BatchRows>;
  /** Lets running batches finish, then frees memory and threads. Idempotent. */
  close(): Promise<void>;
}
