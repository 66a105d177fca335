import type { IncomingHttpHeaders } from "node:http";
import { SluiceError } from "../../core/errors.ts";

export interface DeadlineLimits {
  readonly defaultDeadlineMs: number;
  readonly maxDeadlineMs: number;
}

/** Header by which a caller says how many milliseconds it will wait. */
export const TIMEOUT_HEADER = "x-request-timeout-ms";

/**
 * How long the caller waits, in milliseconds.
 *
 * @throws SluiceError `invalid_argument` when the header is no whole number within bounds
 */
export function readTimeoutMs(headers: IncomingHttpHeaders, limits: DeadlineLimits): number {
  const value = headers[TIMEOUT_HEADER];
  if (value === undefined) return limits.defaultDeadlineMs;
  const timeoutMs = typeof value === "string" && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (timeoutMs >= 1 && timeoutMs <= limits.maxDeadlineMs) return timeoutMs;
  const problem = `must be a whole number of milliseconds from 1 to ${limits.maxDeadlineMs}`;
  throw new SluiceError("invalid_argument", `${TIMEOUT_HEADER} ${problem}.`, {
    details: [{ field: TIMEOUT_HEADER, problem }],
  });
}

/**
 * The same for a gRPC call, which brings the moment itself.
 *
 * @param deadline milliseconds since the epoch, or Infinity for none
 */
export function toGrpcTimeoutMs(
  deadline: Date | number,
  epochMs: number,
  { defaultDeadlineMs, maxDeadlineMs }: DeadlineLimits,
): number {
  const timeoutMs = Number(deadline) - epochMs;
  if (!Number.isFinite(timeoutMs)) return defaultDeadlineMs;
  return Math.min(Math.max(0, timeoutMs), maxDeadlineMs);
}
