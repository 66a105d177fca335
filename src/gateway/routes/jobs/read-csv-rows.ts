import { Readable } from "node:stream";
import { SluiceError } from "../../../core/errors.ts";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import { problemRow } from "../../../protocols/native/jobs/decode-job.ts";

/** Which columns hold what; names as in the head line, without regard to case. */
export interface CsvColumns {
  readonly text: string;
  readonly pair: string;
  readonly id: string;
}

/** What messages call things, which depends on how the rows came. */
export interface CsvWording {
  /** The caller's field that the rows came by. */
  readonly field: string;
  /** What names the column of the texts. */
  readonly textColumn: string;
}

const UPLOADED: CsvWording = { field: "body", textColumn: "?text_column=" };

/** Rows that are passed on together. */
const ROWS_AT_ONCE = 256;
const MAX_RECORD_CHARACTERS = 1024 * 1024;

/**
 * Reads rows from comma-separated values (RFC 4180) as the bytes come in. The first line names the columns; `text` must be among them,
 * others than the chosen ones are passed over.
 *
 * @throws SluiceError `invalid_argument` when the column of texts is missing, or the quoting is broken, with the line
 */
export async function* readCsvRows(
  bytes: AsyncIterable<Uint8Array>,
  columns: CsvColumns,
  wording = UPLOADED,
): AsyncGenerator<readonly JobRow[], void, undefined> {
  const { parse } = await import("csv-parse");
  const parser = parse({
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_CHARACTERS,
  });
  const source = Readable.from(bytes, { objectMode: false });
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let places: CsvPlaces | undefined;
  let rows: JobRow[] = [];
  try {
    for await (const record of parser as AsyncIterable<readonly string[]>) {
      if (places === undefined) {
        places = findColumns(record, columns, wording);
        continue;
      }
      rows.push(toCsvRow(record, places));
      if (rows.length < ROWS_AT_ONCE) continue;
      yield rows;
      rows = [];
    }
  } catch (thrown) {
    throw describeCsvFault(thrown, wording);
  } finally {
    source.destroy();
  }
  if (rows.length > 0) yield rows;
}

interface CsvPlaces {
  readonly text: number;
  /** -1 when there is none, as for `id`. */
  readonly pair: number;
  readonly id: number;
}

function findColumns(
  head: readonly string[],
  columns: CsvColumns,
  { field, textColumn }: CsvWording,
): CsvPlaces {
  const names = head.map((name) => name.trim().toLowerCase());
  const placeOf = (name: string) => names.indexOf(name.trim().toLowerCase());
  const text = placeOf(columns.text);
  if (text >= 0) return { text, pair: placeOf(columns.pair), id: placeOf(columns.id) };
  const found = names.length === 0 ? "none" : `${names.length} other columns`;
  const fix = `name the column of the texts with ${textColumn}`;
  const problem = `must name a column ${columns.text.slice(0, 64)} in its first line; found ${found}; ${fix}`;
  throw new SluiceError("invalid_argument", `The CSV ${problem}.`, {
    details: [{ field, problem }],
  });
}

function toCsvRow(record: readonly string[], { text, pair, id }: CsvPlaces): JobRow {
  const name = id < 0 ? undefined : record[id];
  const value = record[text];
  if (value === undefined) {
    return problemRow("has fewer columns than the first line, and no text", name);
  }
  return { text: value, pair: pair < 0 ? undefined : record[pair], id: name };
}

/** Codes of the parser begin so; everything else came from the connection. */
const PARSER_CODE = /^(CSV_|INVALID_)/;

function describeCsvFault(thrown: unknown, { field }: CsvWording): unknown {
  if (!(thrown instanceof Error) || !("code" in thrown)) return thrown;
  if (!PARSER_CODE.test(String(thrown.code))) return thrown;
  const line = "lines" in thrown && typeof thrown.lines === "number" ? thrown.lines : undefined;
  const where = line === undefined ? "" : ` near line ${line}`;
  const problem = `is not valid CSV${where}: check the quotes`;
  return new SluiceError(
    "invalid_argument",
    `${field === "body" ? "The body" : field} ${problem}.`,
    {
      cause: thrown,
      details: [{ field, problem }],
    },
  );
}
