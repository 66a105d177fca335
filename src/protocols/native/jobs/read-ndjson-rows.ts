import type { JobRow } from "../../../core/jobs/job-row.ts";
import { problemRow, toRow } from "./decode-job.ts";

const NEWLINE = 0x0a;
/** Longer lines are no rows; what is beyond is not kept. */
const MAX_LINE_BYTES = 1024 * 1024;

/**
 * Reads rows from newline-delimited JSON as its bytes come in: a text or `{text, pair?, id?}` per line; blank lines are
 * no rows. A line that cannot be read is a row with its reason, so that the rows behind it keep their numbers.
 *
 * Source of the format: https://github.com/ndjson/ndjson-spec
 */
export async function* readNdjsonRows(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly JobRow[], void, undefined> {
  const line = new LineBuffer();
  for await (const piece of bytes) {
    const rows: JobRow[] = [];
    let start = 0;
    for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, start)) {
      line.add(piece.subarray(start, at));
      start = at + 1;
      const row = line.take();
      if (row !== undefined) rows.push(row);
    }
    line.add(piece.subarray(start));
    if (rows.length > 0) yield rows;
  }
  const last = line.take();
  if (last !== undefined) yield [last];
}

/** One line, which may come in several pieces. */
class LineBuffer {
  #pieces: Uint8Array[] = [];
  #length = 0;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#length += piece.length;
    if (this.#length <= MAX_LINE_BYTES) this.#pieces.push(piece);
  }

  /** @returns undefined for a blank line */
  take(): JobRow | undefined {
    const pieces = this.#pieces;
    const length = this.#length;
    this.#pieces = [];
    this.#length = 0;
    if (length === 0) return undefined;
    if (length > MAX_LINE_BYTES) {
      return problemRow(`is longer than ${MAX_LINE_BYTES} bytes`, undefined);
    }
    const [only] = pieces;
    return this.#parse(pieces.length === 1 && only !== undefined ? only : join(pieces, length));
  }

  #parse(bytes: Uint8Array): JobRow | undefined {
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      return problemRow("is not UTF-8", undefined);
    }
    if (text.trim() === "") return undefined;
    try {
      return toRow(JSON.parse(text));
    } catch {
      return problemRow("is not JSON", undefined);
    }
  }
}

function join(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
