import type { ErrorEncoder } from "../error-encoder.ts";
import { WIRE_STATUS } from "../status.ts";

/**
 * `{"error": "…"}`, which clients show to people. KServe's reads it only where the content type is exactly this one.
 */
export const encodeOpenInferenceError: ErrorEncoder = ({ code, message }) => ({
  status: WIRE_STATUS[code].http,
  body: JSON.stringify({ error: message }),
  contentType: "application/json",
});
