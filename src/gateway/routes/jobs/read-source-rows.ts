import { createHash } from "node:crypto";
import { SluiceError } from "../../../core/errors.ts";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import type { Cancellation } from "../../../core/ports/cancellation.ts";
import type { RowSources } from "../../../core/ports/row-sources.ts";
import type { JobSource, SourceFormat } from "../../../protocols/native/jobs/decode-source.ts";
import { readNdjsonRows } from "../../../protocols/native/jobs/read-ndjson-rows.ts";
import type { CsvWording } from "./read-csv-rows.ts";
import { readCsvRows } from "./read-csv-rows.ts";
import { rowFormatOf } from "./row-formats.ts";

/** Rows that another server sends. */
export interface SourceRows {
  /** Asks for them with the first that is wanted, so that a submission that is refused for other reasons asks nobody. */
  readonly rows: AsyncIterable<readonly JobRow[]>;
  /** Lower-case hex SHA-256 of the bytes that were read so far, and of `seed`. */
  digest(seed: string): string;
}

const WORDING: CsvWording = { field: "source.url", textColumn: "source.text_column" };

/**
 * Prepares to fetch the rows of a job. They are fetched while the job is submitted, not later: what the caller gets to know is
 * then the same as for an upload. Either the job is there with all its rows, whatever becomes of the address, or the answer
 * says what was wrong with it.
 *
 * @throws SluiceError when nothing may be fetched from there
 */
export function readSourceRows(
  source: JobSource,
  sources: RowSources,
  cancellation: Cancellation,
): SourceRows {
  sources.assertAllowed(source.url);
  const hash = createHash("sha256");
  const rows = async function* () {
    const opened = await sources.open(source.url, cancellation);
    try {
      const format = source.format ?? guessFormat(source.url, opened.contentType);
      const bytes = pass(opened.bytes, (piece) => hash.update(piece));
      let isEmpty = true;
      for await (const some of readRows(bytes, format, source)) {
        isEmpty = false;
        yield some;
      }
      if (isEmpty) throw wrong("source.url", "leads to no rows");
    } finally {
      opened.close();
    }
  };
  return { rows: rows(), digest: (seed) => hash.copy().update(`\n${seed}`).digest("hex") };
}

function readRows(
  bytes: AsyncIterable<Uint8Array>,
  format: SourceFormat,
  { columns }: JobSource,
): AsyncIterable<readonly JobRow[]> {
  if (format === "ndjson") return readNdjsonRows(bytes);
  const { text = "text", pair = "pair", id = "id" } = columns;
  return readCsvRows(bytes, { text, pair, id }, WORDING);
}

const ENDINGS = new Map<string, SourceFormat>([
  ["csv", "csv"],
  ["ndjson", "ndjson"],
  ["jsonl", "ndjson"],
]);

function guessFormat(url: string, contentType: string | undefined): SourceFormat {
  const { pathname } = new URL(url);
  const ending = pathname.slice(pathname.lastIndexOf(".") + 1).toLowerCase();
  const format = rowFormatOf(contentType ?? "") ?? ENDINGS.get(ending);
  if (format !== undefined) return format;
  throw wrong(
    "source.format",
    "must be csv or ndjson, because neither the answer's Content-Type nor the end of source.url tells",
  );
}

async function* pass(
  bytes: AsyncIterable<Uint8Array>,
  onPiece: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of bytes) {
    onPiece(piece);
    yield piece;
  }
}

function wrong(field: string, problem: string): SluiceError {
  return new SluiceError("invalid_argument", `${field} ${problem}.`, {
    details: [{ field, problem }],
  });
}
