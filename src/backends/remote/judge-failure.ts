import type { SluiceError } from "../../core/errors.ts";
import type { EndpointOutcome } from "./endpoint-health.ts";

/** What a failed attempt means. */
export interface FailureVerdict {
  /** What it says about the endpoint. */
  readonly outcome: EndpointOutcome;
  /** Whether another endpoint may well answer the same request. */
  readonly isRetryable: boolean;
}

/**
 * What a failed attempt says about its endpoint, and whether the request may be sent again. Pure.
 *
 * Running a model changes nothing, so a request may always be sent twice; the question is whether that helps. It does
 * when the server was not there, was draining, or was too slow. It does not when the answer is about the request: that
 * passes through as it is.
 *
 * @param hadFullTime whether the attempt had all the time that an attempt may have; with less, being late is no fault
 * of the endpoint's
 */
export function judgeFailure({ code }: SluiceError, hadFullTime: boolean): FailureVerdict {
  switch (code) {
    case "unavailable":
      return { outcome: "failed", isRetryable: true };
    case "deadline_exceeded":
      return { outcome: hadFullTime ? "failed" : "unknown", isRetryable: true };
    case "model_failed":
    case "internal":
      return { outcome: "refused", isRetryable: false };
    case "cancelled":
      return { outcome: "unknown", isRetryable: false };
    default:
      return { outcome: "answered", isRetryable: false };
  }
}
