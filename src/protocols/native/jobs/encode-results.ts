import type { JobResults } from "../../../core/jobs/job-service.ts";
import type { RowResult } from "../../../core/jobs/row-result.ts";
import { formatScore } from "../../decimal.ts";
import { encodeAnsweredBy } from "../encode-context.ts";

/** How the results of a job are written. */
export interface ResultFormat {
  readonly contentType: string;
  /** Ends the name of a file. */
  readonly extension: string;
  /** What comes first; may be empty. */
  readonly head: string;
  encode(result: RowResult, row: number): string;
}

/** One JSON object per row: `row` from 0, the caller's `id`, then `predictions`, `vector` or `error`. */
const NDJSON: ResultFormat = {
  contentType: "application/x-ndjson; charset=utf-8",
  extension: "ndjson",
  head: "",
  encode: (result, row) => {
    const id = result.id === undefined ? "" : `,"id":${JSON.stringify(result.id)}`;
    return `{"row":${row}${id},${encodeOutcome(result)}}\n`;
  },
};

function encodeOutcome(result: RowResult): string {
  if (result.kind === "error") {
    const { code, message } = result;
    return `"error":${JSON.stringify({ code, message })}`;
  }
  const truncated = result.truncated ? ',"truncated":true' : "";
  const end = `,"model_version":"${result.version}"${truncated}${encodeAnsweredBy(result.answeredBy)}`;
  if (result.kind === "vector") return `"vector":${JSON.stringify(result.values)}${end}`;
  return `"predictions":[${encodeLabels(result.labels)}]${end}`;
}

function encodeLabels(labels: readonly { readonly label: string; readonly score: number }[]) {
  return labels
    .map(
      ({ label, score }) => `{"label":${JSON.stringify(label)},"confidence":${formatScore(score)}}`,
    )
    .join();
}

const COLUMNS = [
  "row",
  "id",
  "label",
  "confidence",
  "predictions",
  "vector",
  "error_code",
  "error",
  "model_version",
  "answered_by",
];

/**
 * Comma-separated values with a head line (RFC 4180). `label` and `confidence` are the best; `predictions` has all of them as JSON
 * where there are several, `vector` a list of numbers as JSON; `answered_by` those models of a graph whose answer it is.
 */
const CSV: ResultFormat = {
  contentType: "text/csv; charset=utf-8; header=present",
  extension: "csv",
  head: `${COLUMNS.join()}\r\n`,
  encode: (result, row) => {
    const cells: Record<string, string> = { row: String(row), id: result.id ?? "" };
    if (result.kind === "error") {
      cells["error_code"] = result.code;
      cells["error"] = result.message;
      return writeCells(cells);
    }
    cells["model_version"] = result.version;
    const by = result.answeredBy?.map(({ model, version }) => `${model} ${version}`);
    cells["answered_by"] = by?.join("; ") ?? "";
    if (result.kind === "vector") cells["vector"] = JSON.stringify(result.values);
    else {
      const [best] = result.labels;
      cells["label"] = best?.label ?? "";
      cells["confidence"] = best === undefined ? "" : formatScore(best.score);
      if (result.labels.length > 1) cells["predictions"] = `[${encodeLabels(result.labels)}]`;
    }
    return writeCells(cells);
  },
};

function writeCells(cells: Readonly<Record<string, string>>): string {
  return `${COLUMNS.map((column) => quote(cells[column] ?? "")).join()}\r\n`;
}

function quote(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

export const RESULT_FORMATS = { ndjson: NDJSON, csv: CSV } as const;

/** The format that a caller asks for by `?format=`, else by `Accept`; undefined for a name that is none. */
export function chooseResultFormat(
  format: string | undefined,
  accept: string | undefined,
): ResultFormat | undefined {
  if (format !== undefined) {
    return Object.hasOwn(RESULT_FORMATS, format)
      ? RESULT_FORMATS[format as keyof typeof RESULT_FORMATS]
      : undefined;
  }
  return accept?.includes("text/csv") === true ? CSV : NDJSON;
}

/** The results in the order of the rows, some at a time. */
export async function* encodeResults(
  results: AsyncIterable<JobResults>,
  { head, encode }: ResultFormat,
): AsyncGenerator<string, void, undefined> {
  if (head !== "") yield head;
  for await (const { firstRow, results: rows } of results) {
    yield rows.map((result, index) => encode(result, firstRow + index)).join("");
  }
}
