import type { ErrorCode } from "../../core/errors.ts";
import type { ErrorEncoder } from "../error-encoder.ts";
import { WIRE_STATUS } from "../status.ts";

/**
 * Where this dialect has another status than all others: a full queue is UNAVAILABLE here, and its clients try again on
 * 503 only. A wrong verb is a malformed request.
 */
const OWN_STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  overloaded: 503,
  method_not_allowed: 400,
};

/** `{"error": "<text>"}`. */
export const encodeTensorFlowError: ErrorEncoder = ({ code, message }) => ({
  status: OWN_STATUS[code] ?? WIRE_STATUS[code].http,
  body: JSON.stringify({ error: message }),
  contentType: "application/json",
});
