import type { EncodedText } from "./tokenizer.ts";

/**
 * Runs a model on batches. One backend serves one loaded model version.
 *
 * Concurrency: up to `slots` calls of `run` may be in flight; the caller never starts more. A backend with several
 * workers offers two slots per worker, so that the next batch is already there when a run ends.
 */
export interface Backend {
  /** How many batches may be in flight at once; at least 1, constant. */
  readonly slots: number;
  /** What runs where, for people: e.g. `typescript kernel, inline` or `onnxruntime, 2 workers`. */
  readonly description: string;
  /**
   * Runs one batch of 1 or more texts.
   *
   * @returns one row per text, in order; each row holds the model's raw outputs (logits), one float per label.
   * @throws SluiceError `model_failed` when the model refuses this batch; `unavailable` when the worker died and a
   * second attempt died too. All members of a failed batch are unanswered.
   */
  run(batch: readonly EncodedText[]): Promise<readonly Float32Array[]>;
  /** Lets running batches finish, then frees memory and threads. Idempotent. */
  close(): Promise<void>;
}
