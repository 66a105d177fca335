import { SluiceError } from "../errors.ts";
import type { InferenceRequest } from "../inference/request.ts";

/**
 * Why nobody waits for a further step of a request; `undefined` while somebody does.
 *
 * @param nowMs `Clock.nowMs` time
 */
export function findUnwanted(
  { cancellation, deadlineMs }: Pick<InferenceRequest, "cancellation" | "deadlineMs">,
  nowMs: number,
): SluiceError | undefined {
  if (cancellation.cancelled) {
    return new SluiceError("cancelled", "The caller went away before the last step.");
  }
  if (nowMs < deadlineMs) return undefined;
  return new SluiceError("deadline_exceeded", "The deadline passed before the last step.");
}
