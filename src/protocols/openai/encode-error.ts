import type { ErrorCode, SluiceError } from "../../core/errors.ts";
import type { ErrorEncoder } from "../error-encoder.ts";
import { WIRE_STATUS } from "../status.ts";

interface ErrorKind {
  readonly type: string;
  readonly code: string | null;
}

const INVALID_REQUEST = { type: "invalid_request_error", code: null } as const;

/**
 * Kinds of error as the API of OpenAI names them. Its clients choose their exceptions by the status alone (class
 * `APIError` of the `openai` package 6.49), and the statuses are ours; `type` and `code` are for people and for code
 * that reads them.
 */
const KINDS = {
  invalid_argument: INVALID_REQUEST,
  unauthenticated: { type: "authentication_error", code: "invalid_api_key" },
  permission_denied: { type: "permission_error", code: null },
  not_found: INVALID_REQUEST,
  conflict: INVALID_REQUEST,
  method_not_allowed: INVALID_REQUEST,
  too_large: INVALID_REQUEST,
  unsupported_media_type: INVALID_REQUEST,
  rate_limited: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  overloaded: { type: "rate_limit_error", code: "overloaded" },
  deadline_exceeded: { type: "timeout_error", code: "deadline_exceeded" },
  cancelled: INVALID_REQUEST,
  unavailable: { type: "server_error", code: "unavailable" },
  model_failed: { type: "server_error", code: "model_failed" },
  internal: { type: "server_error", code: "internal" },
} as const satisfies Record<ErrorCode, ErrorKind>;

/** Writes `{"error": {"message", "type", "param", "code"}}`; `param` is the first field that is wrong. */
export const encodeError: ErrorEncoder = (error: SluiceError) => {
  const { code, message, details } = error;
  const kind = KINDS[code];
  const param = details[0]?.field ?? null;
  const isUnknownModel = code === "not_found" && param === "model";
  const body = {
    message,
    type: kind.type,
    param,
    code: isUnknownModel ? "model_not_found" : kind.code,
  };
  return { status: WIRE_STATUS[code].http, body: JSON.stringify({ error: body }) };
};
