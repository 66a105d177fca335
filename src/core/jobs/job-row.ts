import type { TextInput } from "../inference/request.ts";

/** One row of a job as it came: a text to answer, or the reason why it cannot be one. */
export type JobRow = (TextInput | { readonly problem: string }) & {
  /** The caller's own name for the row; comes back with its result. */
  readonly id: string | undefined;
};

/** A row as a store keeps it: a JSON object without line breaks. Rows of a chunk are joined by one each. */
export function encodeRow(row: JobRow): string {
  // Escapes control characters and lone surrogates, which not every store can keep.
  return JSON.stringify(row);
}

/** @param line what `encodeRow` wrote */
export function decodeRow(line: string): JobRow {
  const { text, pair, id, problem } = JSON.parse(line);
  return problem === undefined ? { text, pair, id } : { problem, id };
}
