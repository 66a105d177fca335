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

/** Counts in aligned columns. Every column is as wide as its widest cell. */
export function formatConfusion(
  confusion: readonly (readonly number[])[],
  labels: readonly string[],
): string {
  const rows = [
    ["true \\ predicted", ...labels],
    ...confusion.map((row, i) => [labels[i] ?? String(i), ...row.map(String)]),
  ];
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, cell.length)),
    [],
  );
  const format = (cell: string, i: number) =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0);
  return rows.map((row) => row.map(format).join("  ").trimEnd()).join("\n");
}
