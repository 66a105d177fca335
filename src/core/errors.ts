/**
 * The closed list of reasons for which Sluice refuses or fails a request.
 *
 * Every protocol maps these codes to its own statuses (see `protocols/status.ts`); nothing else decides
 * what a caller sees. Add a code only when callers must be able to react differently to it.
 */
export const ERROR_CODES = [
  /** The request itself is wrong; sending it again unchanged fails again. */
  "invalid_argument",
  /** No credentials, or credentials that nobody issued. */
  "unauthenticated",
  /** Known caller, not allowed to do this. */
  "permission_denied",
  /** The route, model or version does not exist. */
  "not_found",
  /** The thing is not in a state for this, e.g. a job that still runs has no results; what it is now decides. */
  "conflict",
  /** The route exists, but not for this method. */
  "method_not_allowed",
  /** The body, a text or a list is longer than allowed. */
  "too_large",
  /** The body is in a format that this route does not read. */
  "unsupported_media_type",
  /** The caller spent its allowance for this window. */
  "rate_limited",
  /** The server has more work than it can finish in time. */
  "overloaded",
  /** The answer did not come before the request's deadline. */
  "deadline_exceeded",
  /** The caller went away before the answer came. */
  "cancelled",
  /** The model or server is starting, draining or broken; another replica may serve. */
  "unavailable",
  /** The model failed on exactly this input. */
  "model_failed",
  /** A bug in Sluice. */
  "internal",
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What is wrong with one field of the request. `problem` says what was expected and what came. */
export interface FieldProblem {
  /** Path in the caller's own terms, e.g. `texts[3]` or `model_version`. */
  readonly field: string;
  readonly problem: string;
}

/** What a fault that was made on purpose asks for; see `core/faults/`. Statuses that are null follow from the code. */
export interface InjectedFault {
  /** Name of the rule. */
  readonly rule: string;
  readonly httpStatus: number | null;
  /** gRPC's number. */
  readonly grpcStatus: number | null;
}

export interface SluiceErrorOptions {
  readonly details?: readonly FieldProblem[];
  /** Milliseconds after which the same request has a fair chance. Set for rate_limited and overloaded. */
  readonly retryAfterMs?: number;
  /** Set when nothing is wrong and the error was asked for. */
  readonly injected?: InjectedFault;
  /** What really happened. Logged, never sent. */
  readonly cause?: unknown;
}

/** The one error class. `message` is safe to show to callers and names the fix where there is one. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly details: readonly FieldProblem[];
  readonly retryAfterMs: number | undefined;
  readonly injected: InjectedFault | undefined;

  constructor(code: ErrorCode, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SluiceError";
    this.code = code;
    this.details = options.details ?? [];
    this.retryAfterMs = options.retryAfterMs;
    this.injected = options.injected;
  }
}

/** The only funnel from "anything may be thrown" to a SluiceError. Unknown errors become `internal`. */
export function toSluiceError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  return new SluiceError("internal", "Internal error. The log has the details.", { cause: thrown });
}
