import type { ErrorCode } from "../errors.ts";
import type { AnsweringModel, ItemResult } from "../inference/result.ts";
import type { RankedLabel } from "../text/labels.ts";

/** What became of one row. */
export type RowOutcome =
  | {
      readonly kind: "labels";
      readonly version: string;
      /** Best first; empty when the model abstained or no label reached its threshold. */
      readonly labels: readonly RankedLabel[];
      readonly truncated: boolean;
      /** As in `ItemResult`. */
      readonly answeredBy?: readonly AnsweringModel[];
    }
  | {
      readonly kind: "vector";
      readonly version: string;
      readonly values: readonly number[];
      readonly truncated: boolean;
      readonly answeredBy?: readonly AnsweringModel[];
    }
  | { readonly kind: "error"; readonly code: ErrorCode; readonly message: string };

export type RowResult = RowOutcome & {
  /** The caller's own name for the row. */
  readonly id: string | undefined;
};

/** The result of a row as a store keeps it: one JSON object per line. */
export function encodeRowResults(results: readonly RowResult[]): string {
  return results.map((result) => JSON.stringify(result)).join("\n");
}

/** @param stored what `encodeRowResults` wrote; at least one result */
export function decodeRowResults(stored: string): readonly RowResult[] {
  return stored.split("\n").map(decodeRowResult);
}

/** @param line one of those that `encodeRowResults` joined */
export function decodeRowResult(line: string): RowResult {
  return JSON.parse(line);
}

/** What is kept of the answer to a row. */
export function toRowResult(item: ItemResult, id: string | undefined): RowResult {
  if (!item.ok) return { kind: "error", code: item.error.code, message: item.error.message, id };
  const { version, prediction, truncated, answeredBy } = item;
  const by = answeredBy === undefined ? {} : { answeredBy };
  if (prediction.kind === "labels") {
    return { kind: "labels", version, labels: prediction.labels, truncated, ...by, id };
  }
  return { kind: "vector", version, values: [...prediction.values], truncated, ...by, id };
}

/** Reasons that pass: the same row may well be answered later, so it is no result yet. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  "overloaded",
  "unavailable",
  "deadline_exceeded",
  "cancelled",
  "rate_limited",
]);

export function isPassing(code: ErrorCode): boolean {
  return PASSING.has(code);
}
