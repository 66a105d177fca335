import { SluiceError } from "../../core/errors.ts";
import type { WorkMessage } from "../../core/ports/work-queue.ts";

/** Longest body of a message, in bytes of UTF-8. */
export const MAX_WORK_BYTES = 64 * 1024;

/** @throws SluiceError `invalid_argument` for a message whose body is too long */
export function assertWorkFits({ id, body }: WorkMessage): void {
  const bytes = Buffer.byteLength(body);
  if (bytes <= MAX_WORK_BYTES) return;
  const message = `The work ${id} has a body of ${bytes} bytes; at most ${MAX_WORK_BYTES} are allowed.`;
  throw new SluiceError("invalid_argument", message);
}
