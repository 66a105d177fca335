import type { ErrorEncoder } from "../error-encoder.ts";
import { WIRE_STATUS } from "../status.ts";

/** `{"error": "…"}`, which clients show to people. */
export const encodeOpenInferenceError: ErrorEncoder = ({ code, message }) => ({
  status: WIRE_STATUS[code].http,
  body: JSON.stringify({ error: message }),
});
