import { SluiceError } from "../../core/errors.ts";

/**
 * Runs a decoder on what another server sent. There, a wrong field is not the caller's fault.
 *
 * @throws SluiceError `unavailable` in place of `invalid_argument`
 */
export function toRemoteProblem<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch (thrown) {
    if (!(thrown instanceof SluiceError) || thrown.code !== "invalid_argument") throw thrown;
    const message = `The model's server answers in no way that this one reads: ${thrown.message}`;
    throw new SluiceError("unavailable", message, { cause: thrown });
  }
}
