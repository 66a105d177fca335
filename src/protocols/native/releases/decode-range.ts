import { SluiceError } from "../../../core/errors.ts";
import type { ReleaseRange } from "../../../core/ports/release-store.ts";

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

/**
 * Reads the query of lists of releases and of decisions: `limit`, `model`, `after`.
 *
 * @throws SluiceError `invalid_argument`
 */
export function decodeReleaseRange(query: Readonly<Record<string, string>>): ReleaseRange {
  const { limit: text, model, after } = query;
  const limit = text === undefined ? DEFAULT_LIMIT : Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    const problem = `must be a whole number from 1 to ${MAX_LIMIT}`;
    const details = [{ field: "limit", problem }];
    throw new SluiceError("invalid_argument", `limit ${problem}.`, { details });
  }
  return { limit, ...(model !== undefined && { model }), ...(after !== undefined && { after }) };
}
