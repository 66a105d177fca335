import { SluiceError } from "../../../core/errors.ts";
import type { JobRequest } from "../../../core/jobs/job.ts";
import type { JobRow } from "../../../core/jobs/job-row.ts";
import { FieldReader, nameOf, OPTION_FIELDS } from "../field-reader.ts";
import type { JobSource } from "./decode-source.ts";
import { decodeSource } from "./decode-source.ts";

/** A job whose rows are in the body itself, or at an address that it names. */
export interface DecodedJob {
  readonly request: JobRequest;
  readonly rows: readonly JobRow[] | JobSource;
}

/** What a job runs with; a job is always bulk work, so it has no lane. */
const REQUEST_FIELDS = [...OPTION_FIELDS.filter((name) => name !== "lane"), "webhook_url"];
const MAX_URL_LENGTH = 2048;

/**
 * Reads the parsed JSON body of `POST /v1/jobs`: `rows` is a list whose entries are texts or `{text, pair?, id?}`; `texts` is
 * another name for it; `source` stands in its place and says where the rows are. A row that cannot be read gets an error of its own in the results.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeJob(body: unknown): DecodedJob {
  const read = new FieldReader(body);
  const [field = "rows", ...others] = ORIGIN_FIELDS.filter(
    (name) => read.fields[name] !== undefined,
  );
  for (const other of others) {
    read.report(other, `cannot stand beside ${field}; send one of ${ORIGIN_FIELDS.join(", ")}`);
  }
  const value = read.fields[field];
  const rows = field === "source" ? decodeSource(value, read) : decodeRows(field, value, read);
  const request = readRequest(read);
  read.refuseUnknown([...ORIGIN_FIELDS, ...REQUEST_FIELDS]);
  read.assertNoProblems();
  return { request, rows: rows ?? [] };
}

/** Exactly one of these says what is to be answered. */
const ORIGIN_FIELDS = ["texts", "rows", "source"] as const;

function decodeRows(field: string, value: unknown, read: FieldReader): readonly JobRow[] {
  if (Array.isArray(value) && value.length > 0) return value.map(toRow);
  const found = Array.isArray(value) ? "an empty list" : nameOf(value);
  read.report(field, `must be a list of texts, or of {text, pair, id}; found ${found}`);
  return [];
}

/** Parameters of the query that are for those who read the rows. */
export const UPLOAD_FIELDS = ["text_column", "pair_column", "id_column"] as const;

/**
 * Reads the query of `POST /v1/jobs` whose body is the rows themselves.
 *
 * @param query names and values as they stand in the address; the last one of a name counts
 * @throws SluiceError `invalid_argument` with one detail per wrong parameter
 */
export function decodeJobQuery(query: Readonly<Record<string, string>>): JobRequest {
  const read = new FieldReader({
    ...query,
    ...toNumbers(query, ["top_k", "abstain_below"]),
  });
  const request = readRequest(read);
  read.refuseUnknown([...REQUEST_FIELDS, ...UPLOAD_FIELDS]);
  read.assertNoProblems();
  return request;
}

function readRequest(read: FieldReader): JobRequest {
  const { model, version, options } = read.options();
  return { model, version, options, webhookUrl: readUrl(read) };
}

function readUrl(read: FieldReader): string | undefined {
  const value = read.fields["webhook_url"];
  if (value === undefined || value === null) return undefined;
  const isText = typeof value === "string" && value.length <= MAX_URL_LENGTH;
  if (isText && /^https?:\/\/[^\s@]+$/.test(value) && URL.canParse(value)) return value;
  const expected = `an http or https address of at most ${MAX_URL_LENGTH} characters, without a password`;
  read.report("webhook_url", `must be ${expected}; found ${nameOf(value)}`);
  return undefined;
}

/** A number that is none stays as it is, so that what is said about it names it. */
function toNumbers(
  query: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, unknown> {
  const numbers: Record<string, unknown> = {};
  for (const name of names) {
    const value = query[name];
    if (value === undefined) continue;
    numbers[name] = value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value);
  }
  return numbers;
}

const ROW_FIELDS = ["text", "pair", "id"];
const MAX_ID_LENGTH = 200;

/** A row as it stands in JSON. What cannot be one keeps the reason. */
export function toRow(value: unknown): JobRow {
  if (typeof value === "string") return { text: value, pair: undefined, id: undefined };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return problemRow(`must be a text or {text, pair, id}; found ${nameOf(value)}`, undefined);
  }
  const { text, pair, id } = value as Readonly<Record<string, unknown>>;
  const name = toRowId(id);
  if (id !== undefined && id !== null && name === undefined) {
    const problem = `id must be a string or number of at most ${MAX_ID_LENGTH} characters`;
    return problemRow(`${problem}; found ${nameOf(id)}`, undefined);
  }
  const unknown = Object.keys(value).find((field) => !ROW_FIELDS.includes(field));
  if (unknown !== undefined) {
    const known = ROW_FIELDS.join(", ");
    return problemRow(`${unknown.slice(0, 64)} is not a field; known are ${known}`, name);
  }
  if (typeof text !== "string") {
    return problemRow(`text must be a string; found ${nameOf(text)}`, name);
  }
  if (pair !== undefined && pair !== null && typeof pair !== "string") {
    return problemRow(`pair must be a string; found ${nameOf(pair)}`, name);
  }
  return { text, pair: pair ?? undefined, id: name };
}

function toRowId(id: unknown): string | undefined {
  const text = typeof id === "number" ? String(id) : id;
  return typeof text === "string" && text.length <= MAX_ID_LENGTH ? text : undefined;
}

/** A row that cannot be answered. */
export function problemRow(problem: string, id: string | undefined): JobRow {
  return { problem: `The row ${problem}.`, id };
}

/** Parameters of `GET /v1/jobs`. */
export interface JobListQuery {
  readonly limit: number;
  readonly after: string | undefined;
}

const MAX_LISTED = 100;

/** @throws SluiceError `invalid_argument` with the parameter that is wrong */
export function decodeJobList(query: Readonly<Record<string, string>>): JobListQuery {
  const { limit = "20", after, ...others } = query;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw wrongParameter(unknown.slice(0, 64), "is not a parameter; known are limit, after");
  }
  const count = Number(limit);
  if (!Number.isInteger(count) || count < 1 || count > MAX_LISTED) {
    throw wrongParameter("limit", `must be a whole number from 1 to ${MAX_LISTED}`);
  }
  return { limit: count, after };
}

function wrongParameter(field: string, problem: string): SluiceError {
  return new SluiceError("invalid_argument", `${field} ${problem}.`, {
    details: [{ field, problem }],
  });
}
