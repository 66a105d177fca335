import { SluiceError } from "../errors.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Clock } from "../ports/clock.ts";
import { GRPC_STATUSES, toAbortCode } from "./abort-status.ts";
import type { ChosenFault } from "./choose-fault.ts";
import type { FaultAbort } from "./fault-rule.ts";

/** How long, and for whom, a request waits. */
export interface FaultWait {
  /** `Clock.nowMs` time after which nobody wants the answer. */
  readonly deadlineMs: number;
  readonly cancellation: Cancellation;
}

/**
 * Does to a request what was chosen for it: waits, then fails it. Holds nothing of the model meanwhile.
 *
 * @param count hears of each kind that was done
 * @throws SluiceError with `injected` for an abort; `deadline_exceeded` when the delay ends behind the deadline;
 * `cancelled` when the caller goes away meanwhile
 */
export async function injectFault(
  { rule, delayMs, abort }: ChosenFault,
  { deadlineMs, cancellation }: FaultWait,
  clock: Pick<Clock, "nowMs" | "setTimer">,
  count: (kind: "delay" | "abort") => void,
): Promise<void> {
  if (delayMs > 0) {
    count("delay");
    const leftMs = Math.max(0, deadlineMs - clock.nowMs());
    await wait(Math.min(delayMs, leftMs), cancellation, clock);
    if (delayMs >= leftMs) {
      const message = "The deadline passed while a fault delayed the request.";
      throw new SluiceError("deadline_exceeded", message);
    }
  }
  if (abort === null) return;
  count("abort");
  throw toAbortError(rule, abort);
}

/** @throws SluiceError `cancelled` */
function wait(
  delayMs: number,
  cancellation: Cancellation,
  clock: Pick<Clock, "setTimer">,
): Promise<void> {
  const gone = () => new SluiceError("cancelled", "The caller went away before the answer came.");
  if (cancellation.cancelled) return Promise.reject(gone());
  return new Promise((resolve, reject) => {
    const stopTimer = clock.setTimer(delayMs, () => {
      forget();
      resolve();
    });
    const forget = cancellation.onCancel(() => {
      stopTimer();
      forget();
      reject(gone());
    });
  });
}

/** The error of an abort: its code is what its status stands for, so that every dialect finds words for it. */
export function toAbortError(rule: string, { httpStatus, grpcStatus }: FaultAbort): SluiceError {
  const message = `The fault ${rule} aborted this request on purpose.`;
  const byName = grpcStatus === null ? undefined : GRPC_STATUSES.get(grpcStatus);
  const code = byName?.code ?? toAbortCode(httpStatus ?? 503);
  const injected = { rule, httpStatus, grpcStatus: byName?.number ?? null };
  return new SluiceError(code, message, { injected });
}
