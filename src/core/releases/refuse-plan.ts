import { SluiceError } from "../errors.ts";

/** Why a plan cannot be followed. @param problem reads on from the field: `must …`, `is no …` */
export function refusePlan(field: string, problem: string): SluiceError {
  const details = [{ field, problem }];
  return new SluiceError("invalid_argument", `${field} ${problem}.`, { details });
}
