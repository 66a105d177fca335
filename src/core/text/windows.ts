/** What one window of a long text gave, and how much of the text it stands for. */
export interface WindowRow {
  readonly row: Float32Array;
  /** Ids of the window. */
  readonly tokens: number;
}

/**
 * One row for a text that was read in several windows: the mean of their rows, each as heavy as it is long. For logits
 * that is the geometric mean of what the windows think.
 *
 * @param normalize bring the result to length 1, for vectors whose windows are of length 1
 */
export function mergeWindows(windows: readonly WindowRow[], normalize: boolean): Float32Array {
  const [first] = windows;
  if (first === undefined) throw new RangeError("A text has at least one window.");
  if (windows.length === 1) return first.row;
  const merged = new Float32Array(first.row.length);
  let total = 0;
  for (const { row, tokens } of windows) {
    total += tokens;
    for (let i = 0; i < merged.length; i++) merged[i] = (merged[i] ?? 0) + (row[i] ?? 0) * tokens;
  }
  const divisor = normalize ? lengthOf(merged) : total;
  return divisor > 0 ? merged.map((value) => value / divisor) : merged;
}

function lengthOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
