import { SluiceError } from "../../core/errors.ts";
import type { InferenceResult } from "../../core/inference/result.ts";
import type { FieldReader } from "../native/field-reader.ts";
import { nameOf } from "../native/field-reader.ts";
import { findOption, readFlag } from "./read-fields.ts";

/**
 * What to do with a text that is longer than the model reads.
 *
 * Text Embeddings Inference cuts it (`truncate: true`, the default), at its end or at its beginning, or refuses it
 * (`truncate: false`). Sluice reads a long text in overlapping windows and joins what the model says about them, so
 * under `truncate: true` more of the text counts than there, and neither direction leaves the other end out: both
 * spellings of both directions are taken and change nothing. Only what is beyond the last window is left out, always at
 * the end. Under `truncate: false` the answer is refused when it took several windows, or when something was left out.
 * That is known once the text has been read; nothing else tells how many tokens it has.
 */
export interface Truncation {
  /** A text must fit into the model at once. */
  readonly mustFit: boolean;
}

const DIRECTIONS: readonly unknown[] = ["left", "right", "Left", "Right"];

/** Reads `truncate` and `truncation_direction`. */
export function readTruncation(read: FieldReader): Truncation {
  const { field, value } = findOption(read, "truncation_direction");
  if (value !== undefined && !DIRECTIONS.includes(value)) {
    read.report(field, `must be one of left, right; found ${nameOf(value)}`);
  }
  return { mustFit: !readFlag(read, "truncate", true) };
}

/**
 * @param field what the request calls its list of texts
 * @throws SluiceError `invalid_argument` naming the first text that is too long
 */
export function assertFits(result: InferenceResult, { mustFit }: Truncation, field: string): void {
  if (!mustFit) return;
  const index = result.items.findIndex((item) => item.ok && (item.windows > 1 || item.truncated));
  if (index < 0) return;
  const place = result.items.length === 1 ? field : `${field}[${index}]`;
  const problem =
    "is longer than the model reads at once; leave truncate out to have it read in windows";
  throw new SluiceError("invalid_argument", `${place} ${problem}.`, {
    details: [{ field: place, problem }],
  });
}
