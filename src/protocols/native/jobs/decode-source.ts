import type { FieldReader } from "../field-reader.ts";
import { nameOf } from "../field-reader.ts";

/** Formats in which rows may stand at an address. */
export const SOURCE_FORMATS = ["csv", "ndjson"] as const;

export type SourceFormat = (typeof SOURCE_FORMATS)[number];

/** Where the rows of a job are to be fetched from. */
export interface JobSource {
  readonly url: string;
  /** `undefined` = what the answer says, or else how the address ends. */
  readonly format: SourceFormat | undefined;
  /** Names of columns, for CSV; `undefined` = the usual ones. */
  readonly columns: {
    readonly text: string | undefined;
    readonly pair: string | undefined;
    readonly id: string | undefined;
  };
}

const FIELDS = ["url", "format", "text_column", "pair_column", "id_column"];
const MAX_COLUMN_LENGTH = 200;

/**
 * Reads the field `source` of a job: `{url, format?, text_column?, pair_column?, id_column?}`. Whether anything may be
 * fetched from there is for others to say.
 *
 * @returns undefined when something of it is wrong, which `read` was told then
 */
export function decodeSource(value: unknown, read: FieldReader): JobSource | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    read.report("source", `must be an object such as {"url": "https://…"}; found ${nameOf(value)}`);
    return undefined;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const field in fields) {
    if (FIELDS.includes(field) || read.isFull) continue;
    const known = FIELDS.join(", ");
    read.report(`source.${field.slice(0, 64)}`, `is not a field; known are ${known}`);
  }
  const url = read.text("source.url", fields["url"]);
  const format = readFormat(fields["format"], read);
  const column = (name: string) => readColumn(name, fields[name], read);
  const columns = {
    text: column("text_column"),
    pair: column("pair_column"),
    id: column("id_column"),
  };
  if (format === "ndjson" && Object.values(columns).some((name) => name !== undefined)) {
    read.report("source.format", "must be csv where columns are named");
  }
  return { url, format, columns };
}

function readFormat(value: unknown, read: FieldReader): SourceFormat | undefined {
  if (value === undefined || value === null) return undefined;
  const known = SOURCE_FORMATS.find((format) => format === value);
  if (known === undefined) {
    const expected = SOURCE_FORMATS.join(" or ");
    read.report("source.format", `must be ${expected}; found ${nameOf(value)}`);
  }
  return known;
}

function readColumn(name: string, value: unknown, read: FieldReader): string | undefined {
  if (value === undefined || value === null) return undefined;
  const isName = typeof value === "string" && value !== "" && value.length <= MAX_COLUMN_LENGTH;
  if (isName) return value;
  const expected = `a string of 1 to ${MAX_COLUMN_LENGTH} characters`;
  read.report(`source.${name}`, `must be ${expected}; found ${nameOf(value)}`);
  return undefined;
}
