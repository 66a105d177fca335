import { SluiceError } from "../../core/errors.ts";
import type { Backend, RunCost } from "../../core/ports/backend.ts";
import type { EncodedText } from "../../core/ports/tokenizer.ts";
import type { ModelRunner } from "./model-runner.ts";
import { assertNumbers, toModelFailure } from "./model-runner.ts";

/**
 * Runs a model on the calling thread. For models whose run is shorter than the way to another thread and back:
 * a run blocks the event loop.
 */
export function createInlineBackend(
  runner: ModelRunner,
  description: string,
  cost: RunCost,
): Backend {
  let lastRun: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | undefined;

  return {
    slots: 1,
    parallelRuns: 1,
    description,
    cost,
    pads: runner.pads,
    run(batch) {
      if (closing !== undefined) {
        return Promise.reject(new SluiceError("unavailable", "The model is being unloaded."));
      }
      const run = runOnThisThread(runner, batch);
      lastRun = run.catch(() => {});
      return run;
    },
    close() {
      closing ??= lastRun.then(() => runner.close());
      return closing;
    },
  };
}

async function runOnThisThread(
  runner: ModelRunner,
  batch: readonly EncodedText[],
): Promise<readonly Float32Array[]> {
  try {
    return assertNumbers(await runner.run(batch));
  } catch (error) {
    throw toModelFailure(error);
  }
}
