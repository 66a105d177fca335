import { SluiceError } from "../../core/errors.ts";
import type { JobFile } from "./job-client.ts";

const TYPES: Readonly<Record<string, string>> = {
  csv: "text/csv",
  ndjson: "application/x-ndjson",
  jsonl: "application/x-ndjson",
};

/** What a file of rows is, by the end of its name: `.csv`, `.ndjson` or `.jsonl`, perhaps with `.gz` behind it. */
export function toJobFile(path: string): JobFile {
  const isCompressed = path.endsWith(".gz");
  const name = isCompressed ? path.slice(0, -".gz".length) : path;
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const contentType = TYPES[extension];
  if (contentType !== undefined) return { path, contentType, isCompressed };
  const message = `The name of ${path} must end with .csv, .ndjson or .jsonl, perhaps followed by .gz.`;
  throw new SluiceError("invalid_argument", message);
}
