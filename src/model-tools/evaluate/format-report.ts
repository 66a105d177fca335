import type { ClassificationMetrics } from "./classification-metrics.ts";
import type { Interval } from "./intervals.ts";

/** A share as a percentage with one decimal: `81.3 %`. */
export function toPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** `79.1–83.4 %`. */
export function toPercentRange({ low, high }: Interval): string {
  return `${(100 * low).toFixed(1)}–${toPercent(high)}`;
}

/** The metrics as lines for a terminal, the confusion matrix last (rows: true label; columns: predicted). */
export function formatMetrics(metrics: ClassificationMetrics, labels: readonly string[]): string {
  const { accuracyInterval, balancedAccuracyInterval } = metrics;
  const lines = [
    `texts              ${metrics.count}`,
    `accuracy           ${toPercent(metrics.accuracy)}  (95 %: ${toPercentRange(accuracyInterval)})`,
    `balanced accuracy  ${toPercent(metrics.balancedAccuracy)}  (95 %: ${toPercentRange(balancedAccuracyInterval)})`,
    `macro F1           ${toPercent(metrics.macroF1)}`,
    `calibration error  ${metrics.calibrationError.toFixed(3)}  (15 bins)`,
    "",
    formatConfusion(metrics.confusion, labels),
  ];
  return lines.join("\n");
}

/** With more labels than this a matrix fits no screen. */
const MAX_MATRIX_LABELS = 12;
const LISTED_CONFUSIONS = 15;

/** What was taken for what: the whole matrix in aligned columns for a few labels, the most frequent mistakes for many. */
export function formatConfusion(
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): string {
  if (labels.length > MAX_MATRIX_LABELS) return formatFrequentConfusions(confusion, labels);
  return alignColumns([
    ["true \\ predicted", ...labels],
    ...confusion.map((row, i) => [labels[i] ?? "", ...row.map(String)]),
  ]);
}

function formatFrequentConfusions(
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): string {
  const mistakes = confusion.flatMap((row, actual) =>
    row.map((count, predicted) => ({ count: actual === predicted ? 0 : count, actual, predicted })),
  );
  const frequent = mistakes
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, LISTED_CONFUSIONS);
  return alignColumns([
    ["true", "predicted", "texts"],
    ...frequent.map(({ count, actual, predicted }) => [
      labels[actual] ?? "",
      labels[predicted] ?? "",
      String(count),
    ]),
  ]);
}

/** Every column is as wide as its widest cell; numbers stand right, everything else left. */
function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, cell.length)),
    [],
  );
  const [, firstRow] = rows;
  const isNumber = widths.map((_, i) => /^\d+$/.test(firstRow?.[i] ?? ""));
  const align = (cell: string, i: number) =>
    isNumber[i] === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return rows.map((row) => row.map(align).join("  ").trimEnd()).join("\n");
}
