import { SluiceError } from "../core/errors.ts";

/** Names that a caller made up may be of any length. */
const MAX_NAME_LENGTH = 64;

/**
 * The refusal of one field.
 *
 * @param field path in the caller's terms, e.g. `inputs.x`
 * @param problem what was expected and what came; it follows the field in the message
 */
export function invalidField(field: string, problem: string): SluiceError {
  return new SluiceError("invalid_argument", `${field} ${problem}.`, {
    details: [{ field, problem }],
  });
}

/** `inputs.<name>`, as the core's own checks call an input. */
export function toInputField(name: string): string {
  return `inputs.${name.slice(0, MAX_NAME_LENGTH)}`;
}
