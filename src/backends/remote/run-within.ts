import { SluiceError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports/clock.ts";

/**
 * Runs `work` and stops waiting for it after `timeoutMs`, whether it listens to its signal or not.
 *
 * @param stop ends the work early when it is aborted
 * @throws SluiceError `deadline_exceeded` when the time is over, `cancelled` when `stop` was aborted, and whatever `work` throws
 */
export function runWithin<Answer>(
  clock: Clock,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<Answer>,
  stop?: AbortSignal,
): Promise<Answer> {
  const controller = new AbortController();
  return new Promise<Answer>((resolve, reject) => {
    const giveUp = (error: SluiceError) => {
      // Settled before the work hears of it, so that its own reaction to the signal is not what the caller gets.
      reject(error);
      tidyUp();
      controller.abort();
    };
    const onStop = () => giveUp(new SluiceError("cancelled", "The work was stopped."));
    const stopTimer = clock.setTimer(Math.max(0, timeoutMs), () => giveUp(toTimeoutError()));
    const tidyUp = () => {
      stopTimer();
      stop?.removeEventListener("abort", onStop);
    };
    if (timeoutMs <= 0) return giveUp(toTimeoutError());
    if (stop?.aborted) return onStop();
    stop?.addEventListener("abort", onStop, { once: true });
    const running = new Promise<Answer>((started) => started(work(controller.signal)));
    running.then(resolve, reject).finally(tidyUp);
  });
}

function toTimeoutError(): SluiceError {
  return new SluiceError("deadline_exceeded", "The model's server did not answer in time.");
}
