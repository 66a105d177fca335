/** How rows are written where they do not stand in the JSON of a request. */
export type RowFormat = "csv" | "ndjson";

const FORMATS = new Map<string, RowFormat>([
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["application/json-lines", "ndjson"],
  ["text/csv", "csv"],
]);

/** @param mediaType in lower case, without parameters */
export function rowFormatOf(mediaType: string): RowFormat | undefined {
  return FORMATS.get(mediaType);
}
