import { parse } from "csv-parse/sync";
import { SluiceError } from "../../core/errors.ts";

/** A row before anything is decided about it: either what it holds, or why it cannot be read. */
export interface RawRow {
  /** Line on which the row starts, from 1. */
  readonly line: number;
  readonly text?: string | undefined;
  readonly label?: string | undefined;
  /** A verb phrase: "is not valid JSON". */
  readonly problem?: string;
}

/** Column names, or numbers from 1. */
export interface RowColumns {
  readonly text: string;
  readonly label: string;
}

const NEWLINE = 0x0a;
/** What a decoder puts where bytes are not UTF-8. */
const REPLACEMENT = "\ufffd";

/** Reads one JSON object per line; blank lines are no rows. */
export function parseJsonLineRows(bytes: Uint8Array, columns: RowColumns): RawRow[] {
  const rows: RawRow[] = [];
  let start = 0;
  for (let line = 1; start < bytes.length; line++) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline === -1 ? bytes.length : newline;
    const row = parseJsonLine(bytes.subarray(start, end), line, columns);
    if (row !== undefined) rows.push(row);
    start = end + 1;
  }
  return rows;
}

function parseJsonLine(bytes: Uint8Array, line: number, columns: RowColumns): RawRow | undefined {
  if (!isUtf8(bytes)) return { line, problem: "is not valid UTF-8" };
  const json = new TextDecoder().decode(bytes);
  if (json.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return { line, problem: "is not valid JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { line, problem: "is not a JSON object" };
  }
  const record = value as Record<string, unknown>;
  return {
    line,
    text: toFieldText(record[columns.text], false),
    label: toFieldText(record[columns.label], true),
  };
}

/** Numbers and booleans are fine as labels (`1`, `true`), but a text is a string. */
function toFieldText(value: unknown, isLabel: boolean): string | undefined {
  if (typeof value === "string") return value;
  if (isLabel && (typeof value === "number" || typeof value === "boolean")) return String(value);
  return undefined;
}

/**
 * Reads CSV (RFC 4180: quoted fields may hold newlines) or TSV (no quoting: a tab always separates, and a line break
 * always ends the row). There is a header when both columns are given by name; there is none when both are numbers.
 *
 * @throws SluiceError `invalid_argument` when a named column is not in the header, or names and numbers are mixed.
 */
export function parseDelimitedRows(
  bytes: Uint8Array,
  delimiter: "," | "\t",
  columns: RowColumns,
  fileName: string,
): RawRow[] {
  const records = parseRecords(bytes, delimiter);
  const isNumbered = [columns.text, columns.label].map((column) => /^[1-9]\d*$/.test(column));
  if (isNumbered[0] !== isNumbered[1]) {
    throw new SluiceError(
      "invalid_argument",
      "Give text and label both as column names (file with a header) or both as numbers from 1 (file without).",
    );
  }
  const header = isNumbered[0] ? undefined : records.shift();
  const textAt = toIndex(columns.text, header?.fields, fileName);
  const labelAt = toIndex(columns.label, header?.fields, fileName);
  return records.map(({ line, fields, problem }) =>
    problem === undefined
      ? { line, text: fields[textAt], label: fields[labelAt]?.trim() }
      : { line, problem },
  );
}

interface DelimitedRecord {
  readonly line: number;
  readonly fields: readonly string[];
  readonly problem?: string;
}

function parseRecords(bytes: Uint8Array, delimiter: "," | "\t"): DelimitedRecord[] {
  const text = new TextDecoder().decode(bytes);
  // Decoding never fails and marks what it could not read; only then is it worth telling marks from real U+FFFD.
  const mayBeBroken = text.includes(REPLACEMENT) && !isUtf8(bytes);
  const records = delimiter === "," ? parseCsv(text) : parseTsv(text);
  if (!mayBeBroken) return records;
  return records.map((record) =>
    record.fields.some((field) => field.includes(REPLACEMENT))
      ? { ...record, problem: "is not valid UTF-8" }
      : record,
  );
}

function parseTsv(text: string): DelimitedRecord[] {
  return text
    .split(/\r?\n/)
    .map((row, i) => ({ line: i + 1, fields: row.split("\t") }))
    .filter(({ fields }) => fields.length > 1 || fields[0]?.trim() !== "");
}

function parseCsv(text: string): DelimitedRecord[] {
  let line = 1;
  const records: DelimitedRecord[] = [];
  try {
    parse(text, {
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (fields: string[], { lines }) => {
        records.push({ line, fields });
        line = lines + 1;
        return null;
      },
    });
  } catch (cause) {
    throw new SluiceError(
      "invalid_argument",
      `The CSV cannot be read from line ${line} on: a quote opens there or later and does not close properly.`,
      { cause },
    );
  }
  return records;
}

function toIndex(column: string, header: readonly string[] | undefined, fileName: string): number {
  if (header === undefined) return Number(column) - 1;
  const index = header.findIndex((name) => name.trim() === column);
  if (index >= 0) return index;
  const known = header.map((name) => JSON.stringify(name.trim())).join(", ");
  throw new SluiceError(
    "invalid_argument",
    `${fileName} has no column ${JSON.stringify(column)}; its first line names ${known}.`,
  );
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
