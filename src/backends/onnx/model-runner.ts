import { SluiceError } from "../../core/errors.ts";
import type { EncodedText } from "../../core/ports/tokenizer.ts";

/**
 * A loaded model on the calling thread: what the inline backend calls directly and what a worker thread hosts.
 *
 * Concurrency: the caller waits for one `run` before it starts the next.
 */
export interface ModelRunner {
  /** What does the arithmetic, for people: `typescript kernel` or `onnxruntime`. */
  readonly description: string;
  /** False when texts of different length share a run without padding. */
  readonly pads: boolean;
  /**
   * Runs one batch of 1 or more texts.
   *
   * @returns one row per text, in order. A runner whose work is plain arithmetic answers at once, so that a batch of
   * cheap texts costs no turn of the event loop.
   * @throws SluiceError `model_failed` when the model refuses this batch; the runner stays usable.
   */
  run(batch: readonly EncodedText[]): readonly Float32Array[] | Promise<readonly Float32Array[]>;
  /** Frees the model's memory. Called once, when nothing runs. */
  close(): Promise<void>;
}

/** What a runner throws that is not one of ours is the model's failure, not a bug of the server. */
export function toModelFailure(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  return new SluiceError("model_failed", "The model failed on this input.", { cause: error });
}

/**
 * Overflow in a low precision, or an unlucky text, can make a model answer with what is no number; nobody wants that as
 * a score.
 *
 * @throws SluiceError `model_failed` when there is one among the rows
 */
export function assertNumbers(rows: readonly Float32Array[]): readonly Float32Array[] {
  if (areNumbers(rows)) return rows;
  throw new SluiceError("model_failed", "The model's output for this text is not a number.");
}

/** Whether every value is finite. */
export function areNumbers(rows: readonly Float32Array[]): boolean {
  return rows.every((row) => row.every(Number.isFinite));
}
