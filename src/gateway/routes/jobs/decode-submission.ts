import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../../core/errors.ts";
import type { JobRequest } from "../../../core/jobs/job.ts";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import type { Cancellation } from "../../../core/ports/cancellation.ts";
import type { RowSources } from "../../../core/ports/row-sources.ts";
import { decodeJob, decodeJobQuery } from "../../../protocols/native/jobs/decode-job.ts";
import { readNdjsonRows } from "../../../protocols/native/jobs/read-ndjson-rows.ts";
import { parseJsonBody } from "../../middleware/json-body.ts";
import type { Upload } from "./open-upload.ts";
import { openUpload } from "./open-upload.ts";
import { readCsvRows } from "./read-csv-rows.ts";
import { readSourceRows } from "./read-source-rows.ts";
import { rowFormatOf } from "./row-formats.ts";

export interface UploadLimits {
  /** Longest body of rows. */
  readonly maxUploadBytes: number;
  /** Longest body of JSON, which is read whole. */
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
}

/** What a caller wants answered, its rows still coming in. */
export interface DecodedSubmission {
  readonly request: JobRequest;
  readonly rows: AsyncIterable<readonly JobRow[]>;
  readonly digest: () => string;
}

/** Where rows that are not in the request come from, and until when. */
export interface RowOrigins {
  readonly sources: RowSources;
  readonly cancellation: Cancellation;
}

/**
 * Reads `POST /v1/jobs`: JSON with everything in it, or with the address of the rows, or rows as NDJSON or CSV with the rest in
 * the query.
 *
 * @throws SluiceError with one detail per wrong field; the rows throw what is wrong with them
 */
export async function decodeSubmission(
  request: FastifyRequest,
  limits: UploadLimits,
  origins: RowOrigins,
): Promise<DecodedSubmission> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  const mediaType = type.trim().toLowerCase();
  if (mediaType === "application/json") return await decodeJson(request, limits, origins);
  const format = rowFormatOf(mediaType);
  if (format === undefined) throw unknownType();
  const query = request.query as Readonly<Record<string, string>>;
  const wanted = decodeJobQuery(query);
  const upload = openUpload(request, limits.maxUploadBytes);
  const digest = () => upload.digest(JSON.stringify(query));
  if (format === "ndjson") return { request: wanted, rows: readNdjsonRows(upload.bytes), digest };
  const columns = {
    text: query["text_column"] ?? "text",
    pair: query["pair_column"] ?? "pair",
    id: query["id_column"] ?? "id",
  };
  return { request: wanted, rows: readCsvRows(upload.bytes, columns), digest };
}

async function decodeJson(
  request: FastifyRequest,
  limits: UploadLimits,
  { sources, cancellation }: RowOrigins,
): Promise<DecodedSubmission> {
  const upload = openUpload(request, limits.maxBodyBytes);
  const body = await readWhole(upload);
  const { request: wanted, rows } = decodeJob(parseJsonBody(body, limits.maxJsonDepth));
  const digest = () => upload.digest("");
  if (!("url" in rows)) return { request: wanted, rows: once(rows), digest };
  const fetched = readSourceRows(rows, sources, cancellation);
  // Asked again under the same key, the same address is fetched again: another content is another submission.
  return { request: wanted, rows: fetched.rows, digest: () => fetched.digest(digest()) };
}

function unknownType(): SluiceError {
  const problem =
    "must be application/json, application/x-ndjson or text/csv, as in: curl -H 'Content-Type: text/csv' --data-binary @file.csv";
  return new SluiceError("unsupported_media_type", `Content-Type ${problem}.`, {
    details: [{ field: "content-type", problem }],
  });
}

async function readWhole({ bytes }: Upload): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* once(rows: readonly JobRow[]): AsyncGenerator<readonly JobRow[]> {
  yield rows;
}
