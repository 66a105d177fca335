import type { SluiceError } from "../../core/errors.ts";
import type { ErrorEncoder } from "../error-encoder.ts";
import { WIRE_STATUS } from "../status.ts";

/** `error` member of an error answer, and of a failed entry of a batch. */
export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { readonly field: string; readonly problem: string }[];
}

export function encodeErrorDetail(error: SluiceError): WireError {
  const { code, message, details } = error;
  return details.length === 0 ? { code, message } : { code, message, details };
}

/** Body of an error answer: `{error: {code, message, details?}, request_id}`. */
export const encodeError: ErrorEncoder = (error, requestId) => ({
  status: WIRE_STATUS[error.code].http,
  body: JSON.stringify({ error: encodeErrorDetail(error), request_id: requestId }),
});
