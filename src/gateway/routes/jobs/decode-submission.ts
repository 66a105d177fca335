import type { FastifyRequest } from "fastify";
import { SluiceError } from "../../../core/errors.ts";
import type { JobRequest } from "../../../core/jobs/job.ts";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import { decodeJob, decodeJobQuery } from "../../../protocols/native/jobs/decode-job.ts";
import { readNdjsonRows } from "../../../protocols/native/jobs/read-ndjson-rows.ts";
import { parseJsonBody } from "../../middleware/json-body.ts";
import type { Upload } from "./open-upload.ts";
import { openUpload } from "./open-upload.ts";
import { readCsvRows } from "./read-csv-rows.ts";

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

/**
 * Reads `POST /v1/jobs`: JSON with everything in it, or rows as NDJSON or CSV with the rest in the query.
 *
 * @throws SluiceError with one detail per wrong field; the rows throw what is wrong with them
 */
export async function decodeSubmission(
  request: FastifyRequest,
  limits: UploadLimits,
): Promise<DecodedSubmission> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  const kind = BODY_KINDS[type.trim().toLowerCase()];
  if (kind === undefined) throw unknownType();
  const query = request.query as Readonly<Record<string, string>>;
  if (kind === "json") {
    const upload = openUpload(request, limits.maxBodyBytes);
    const body = await readWhole(upload);
    const { request: wanted, rows } = decodeJob(parseJsonBody(body, limits.maxJsonDepth));
    return { request: wanted, rows: once(rows), digest: () => upload.digest("") };
  }
  const wanted = decodeJobQuery(query);
  const upload = openUpload(request, limits.maxUploadBytes);
  const digest = () => upload.digest(JSON.stringify(query));
  if (kind === "ndjson") return { request: wanted, rows: readNdjsonRows(upload.bytes), digest };
  const columns = {
    text: query["text_column"] ?? "text",
    pair: query["pair_column"] ?? "pair",
    id: query["id_column"] ?? "id",
  };
  return { request: wanted, rows: readCsvRows(upload.bytes, columns), digest };
}

const BODY_KINDS: Readonly<Record<string, "json" | "ndjson" | "csv">> = {
  "application/json": "json",
  "application/x-ndjson": "ndjson",
  "application/ndjson": "ndjson",
  "application/jsonl": "ndjson",
  "application/json-lines": "ndjson",
  "text/csv": "csv",
};

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
