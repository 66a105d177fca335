import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { SluiceError } from "../../core/errors.ts";
import { normalizeText } from "../../core/text/normalize.ts";
import type { BadRow, LabelledText } from "./labelled-text.ts";
import type { RawRow } from "./parse-rows.ts";
import { parseDelimitedRows, parseJsonLineRows } from "./parse-rows.ts";

/** How a data file is written. */
export type DataFormat = "csv" | "tsv" | "jsonl";

/** Where text and label stand in a file, and what to do with rows that have none. */
export interface ReadExamplesOptions {
  /** Column name or JSON field; or, for files without a header, the column's number from 1. */
  readonly text: string;
  readonly label: string;
  /** Told by the file's name (`.csv`, `.tsv`, `.txt`, `.jsonl`, each also with `.gz`) when left out. */
  readonly format?: DataFormat;
  /** Other names for labels of the file, e.g. `0` → `negative`; labels without one stay. */
  readonly labelNames?: ReadonlyMap<string, string>;
  /** Labels that may occur, by their new names; any when left out. */
  readonly labels?: readonly string[];
  /** Leave bad rows out instead of refusing the file. */
  readonly skipBadRows?: boolean;
}

/** What was read, in the order of the file. */
export interface ReadExamples {
  readonly examples: LabelledText[];
  /** Rows that were left out; empty unless `skipBadRows` is set. */
  readonly badRows: readonly BadRow[];
}

/** How many bad rows an error lists; it always states how many there are. */
const LISTED_BAD_ROWS = 20;

/**
 * Reads labelled texts from a CSV, TSV or JSON-lines file, compressed with gzip or not. UTF-8 only. Texts come as they
 * are written, not normalized.
 *
 * @throws SluiceError `not_found` when there is no such file; `invalid_argument` for a wrong column or format, a file
 * without rows, or bad rows (all counted, the first 20 listed by line).
 */
export async function readExamples(
  path: string,
  options: ReadExamplesOptions,
): Promise<ReadExamples> {
  const name = basename(path);
  const format = options.format ?? toFormat(name);
  const bytes = await readBytes(path, name);
  const rows =
    format === "jsonl"
      ? parseJsonLineRows(bytes, options)
      : parseDelimitedRows(bytes, format === "csv" ? "," : "\t", options, name);
  const examples: LabelledText[] = [];
  const badRows: BadRow[] = [];
  for (const rawRow of rows) {
    const row = renameLabel(rawRow, options.labelNames);
    const problem = findProblem(row, options);
    if (problem === undefined) examples.push({ text: row.text ?? "", label: row.label ?? "" });
    else badRows.push({ line: row.line, problem });
  }
  if (badRows.length > 0 && options.skipBadRows !== true) throw createBadRowsError(name, badRows);
  if (examples.length === 0) {
    throw new SluiceError("invalid_argument", `${name} holds no usable rows.`);
  }
  return { examples, badRows };
}

function renameLabel(row: RawRow, names: ReadonlyMap<string, string> | undefined): RawRow {
  if (row.label === undefined || names === undefined) return row;
  return { ...row, label: names.get(row.label) ?? row.label };
}

function toFormat(name: string): DataFormat {
  const extension = /\.([a-z]+)(\.gz)?$/.exec(name.toLowerCase())?.[1];
  if (extension === "csv" || extension === "tsv" || extension === "jsonl") return extension;
  if (extension === "txt") return "tsv";
  throw new SluiceError(
    "invalid_argument",
    `Cannot tell the format of ${name} by its name. Use .csv, .tsv or .jsonl, or say --format.`,
  );
}

async function readBytes(path: string, name: string): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return name.toLowerCase().endsWith(".gz") ? gunzipSync(bytes) : bytes;
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (reason === "ENOENT") {
      throw new SluiceError("not_found", `There is no data file ${name}.`, { cause });
    }
    throw new SluiceError("invalid_argument", `Cannot read the data file ${name}.`, { cause });
  }
}

function findProblem(row: RawRow, options: ReadExamplesOptions): string | undefined {
  if (row.problem !== undefined) return row.problem;
  if (row.text === undefined) return `has no text (${options.text})`;
  if (row.label === undefined || row.label === "") return `has no label (${options.label})`;
  if (normalizeText(row.text) === "") return "has an empty text";
  if (options.labels !== undefined && !options.labels.includes(row.label)) {
    return `has the unknown label ${JSON.stringify(row.label)}`;
  }
  return undefined;
}

function createBadRowsError(name: string, badRows: readonly BadRow[]): SluiceError {
  const listed = badRows.slice(0, LISTED_BAD_ROWS);
  const lines = listed.map(({ line, problem }) => `  line ${line} ${problem}`).join("\n");
  const more =
    badRows.length > listed.length ? `\n  … and ${badRows.length - listed.length} more` : "";
  return new SluiceError(
    "invalid_argument",
    `${name} has ${badRows.length} bad ${badRows.length === 1 ? "row" : "rows"}:\n${lines}${more}\n` +
      "Mend them, or leave them out with --skip-bad-rows.",
    { details: listed.map(({ line, problem }) => ({ field: `line ${line}`, problem })) },
  );
}
