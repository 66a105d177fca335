import type { StoredRelease } from "../../../core/ports/release-store.ts";
import { CHECK_COLUMNS, describeRelease } from "../../../core/releases/describe-release.ts";

const GAP = "  ";

/** A release as two tables for people: where it stands, and the checks that the last decision was made on. */
export function renderRelease({ plan, state, analysis }: StoredRelease, nowMs: number): string {
  const { facts, checks } = describeRelease(plan, state, analysis, nowMs);
  const head = alignColumns([["release", state.id], ...facts]);
  if (checks.length === 0) return head;
  return `${head}\n${alignColumns([CHECK_COLUMNS, ...checks])}`;
}

/** Rows of text in columns as wide as their widest entry, one line each. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [at, entry] of row.entries()) {
      widths[at] = Math.max(widths[at] ?? 0, [...entry].length);
    }
  }
  const toLine = (row: readonly string[]) =>
    row
      .map((entry, at) => entry + " ".repeat((widths[at] ?? 0) - [...entry].length))
      .join(GAP)
      .trimEnd();
  return `${rows.map(toLine).join("\n")}\n`;
}
