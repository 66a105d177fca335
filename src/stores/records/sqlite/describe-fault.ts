import { SluiceError } from "../../../core/errors.ts";
import type { SqlFault } from "./statement.ts";

/** What to do about the faults that a person can mend, by SQLite's primary result code. */
const FIXES: Readonly<Record<number, (path: string) => string>> = {
  5: (path) => `${path} is held by another process for too long; see what else has it open`,
  6: (path) => `${path} is locked; see what else has it open`,
  8: (path) => `${path} may not be written; give this user the right to write it and its folder`,
  10: (path) =>
    `the disk of ${path} cannot be read or written; check it, or name a file on another`,
  11: (path) => `${path} is damaged; restore a backup with 'sluice restore'`,
  13: (path) => `the disk of ${path} is full; make room`,
  14: (path) => `${path} cannot be opened; check that its folder exists and may be written`,
  26: (path) => `${path} is no SQLite database; name another file`,
};

/** The error that callers see for what SQLite said of the file at `path`. */
export function describeFault({ code, message }: SqlFault, path: string): SluiceError {
  const fix = FIXES[code];
  const cause = new Error(`SQLite ${code}: ${message}`);
  if (fix === undefined) {
    return new SluiceError("internal", "A statement to the record database failed.", { cause });
  }
  const reason = `The record database (records.store.path) cannot be used: ${fix(path)}.`;
  return new SluiceError("unavailable", reason, { cause });
}
