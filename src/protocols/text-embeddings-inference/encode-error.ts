import type { ErrorCode, SluiceError } from "../../core/errors.ts";
import type { EncodedError, ErrorEncoder } from "../error-encoder.ts";
import { EMPTY } from "./read-fields.ts";

/** Kinds of error that Text Embeddings Inference knows. */
type ErrorType = "Unhealthy" | "Backend" | "Overloaded" | "Validation" | "Empty";

interface ErrorKind {
  readonly status: number;
  readonly type: ErrorType;
}

const VALIDATION: ErrorKind = { status: 422, type: "Validation" };
/** Also for a question that this model cannot answer. */
const BACKEND: ErrorKind = { status: 424, type: "Backend" };

/**
 * The statuses of Text Embeddings Inference. They are not those of `protocols/status.ts`, because clients of this
 * dialect decide by them what to do: 422 is a bad request here and 424 a model that failed. Codes that it has no status
 * for keep ours.
 */
const KINDS = {
  invalid_argument: VALIDATION,
  unauthenticated: { status: 401, type: "Validation" },
  permission_denied: { status: 403, type: "Validation" },
  not_found: { status: 404, type: "Validation" },
  conflict: { status: 409, type: "Validation" },
  method_not_allowed: { status: 405, type: "Validation" },
  too_large: { status: 413, type: "Validation" },
  unsupported_media_type: { status: 415, type: "Validation" },
  rate_limited: { status: 429, type: "Overloaded" },
  overloaded: { status: 429, type: "Overloaded" },
  deadline_exceeded: { status: 504, type: "Backend" },
  cancelled: { status: 499, type: "Backend" },
  unavailable: { status: 503, type: "Unhealthy" },
  model_failed: BACKEND,
  internal: { status: 500, type: "Backend" },
} as const satisfies Record<ErrorCode, ErrorKind>;

/** Writes `{"error", "error_type"}`; nothing at all for a missing or wrong key, as Text Embeddings Inference does. */
export const encodeError: ErrorEncoder = (error: SluiceError): EncodedError => {
  const { status, type } = kindOf(error);
  // Clients parse what calls itself JSON, and there is none in an empty body.
  if (error.code === "unauthenticated") return { status, body: "", contentType: "" };
  return { status, body: JSON.stringify({ error: error.message, error_type: type }) };
};

function kindOf({ code, details }: SluiceError): ErrorKind {
  if (code !== "invalid_argument") return KINDS[code];
  const [detail] = details;
  if (detail?.field === "model") return BACKEND;
  // A body that is no JSON never becomes a request that could be invalid.
  if (detail?.field === "body") return { status: 400, type: "Validation" };
  return detail?.problem === EMPTY ? { status: 400, type: "Empty" } : VALIDATION;
}
