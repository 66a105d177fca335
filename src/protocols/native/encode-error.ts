import type { SluiceError } from "../../core/errors.ts";

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
export function encodeError(error: SluiceError, requestId: string): string {
  return JSON.stringify({ error: encodeErrorDetail(error), request_id: requestId });
}
