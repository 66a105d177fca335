import type { TextInput } from "../inference/request.ts";

/** One row of a job as it came: a text to answer, or the reason why it cannot be one. */
export type JobRow = (TextInput | { readonly problem: string }) & {
  /** The caller's own name for the row; comes back with its result. */
  readonly id: string | undefined;
};

/** Rows as a store keeps them: one JSON object per line. */
export function encodeRows(rows: readonly JobRow[]): string {
  return rows.map(encodeRow).join("\n");
}

/** Length of a row as it is stored, in UTF-16 units. */
export function encodeRow(row: JobRow): string {
  // Escapes control characters and lone surrogates, which not every store can keep.
  return JSON.stringify(row);
}

/** @param stored what `encodeRows` wrote; at least one row */
export function decodeRows(stored: string): readonly JobRow[] {
  return stored.split("\n").map((line) => {
    const { text, pair, id, problem } = JSON.parse(line);
    return problem === undefined ? { text, pair, id } : { problem, id };
  });
}
