import { SluiceError } from "../../core/errors.ts";

/**
 * A refusal in TensorFlow Serving's own words, which its clients look for.
 *
 * @param field path in the caller's terms, e.g. `instances[3]`
 */
export function malformed(message: string, field = "body"): SluiceError {
  return new SluiceError("invalid_argument", message, { details: [{ field, problem: message }] });
}
