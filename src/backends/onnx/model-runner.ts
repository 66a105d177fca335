import { SluiceError } from "../../core/errors.ts";

/**
 * A loaded model on the calling thread: what the inline backend calls directly and what a worker thread hosts.
 *
 * Concurrency: the caller waits for one `run` before it starts the next.
 */
export interface ModelRunner {
  /** What does the arithmetic, for people: `typescript kernel` or `onnxruntime`. */
  readonly description: string;
  /**
   * Runs one batch of 1 or more texts, each given as its ids (at least one).
   *
   * @returns one row of logits per text, in order. A runner whose work is plain arithmetic answers at once, so that
   * a batch of cheap texts costs no turn of the event loop.
   * @throws SluiceError `model_failed` when the model refuses this batch; the runner stays usable.
   */
  run(batch: readonly Int32Array[]): readonly Float32Array[] | Promise<readonly Float32Array[]>;
  /** Frees the model's memory. Called once, when nothing runs. */
  close(): Promise<void>;
}

/** What a runner throws that is not one of ours is the model's failure, not a bug of the server. */
export function toModelFailure(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  return new SluiceError("model_failed", "The model failed on this input.", { cause: error });
}
