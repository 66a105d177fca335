import { SluiceError } from "../../../core/errors.ts";

/** Result codes of SQLite (https://www.sqlite.org/rescode.html), of which the lowest byte tells the kind. */
const FIXES: ReadonlyMap<number, string> = new Map([
  [5, "is locked by another process; end it, or give each its own file"],
  [6, "is locked by another process; end it, or give each its own file"],
  [8, "is read-only; let the server write to it, or choose another file"],
  [10, "cannot be read or written; check the disk"],
  [11, "is corrupt; restore it from a backup, or move it away to begin with an empty one"],
  [13, "cannot grow, because the disk is full; free some space"],
  [14, "cannot be opened; check the path and the rights on its folder"],
  [26, "is no SQLite database; choose another file"],
]);

/** What a failure of SQLite means for whoever asked; what is no such failure is passed on as it is. */
export function toFileError(thrown: unknown): unknown {
  if (thrown instanceof SluiceError || !(thrown instanceof Error)) return thrown;
  if (!("errcode" in thrown) || typeof thrown.errcode !== "number") return thrown;
  const fix = FIXES.get(thrown.errcode & 0xff);
  if (fix === undefined) return thrown;
  return new SluiceError("unavailable", `The file of vectors.store.path ${fix}.`, {
    cause: thrown,
  });
}

/** The error for a file whose pages contradict each other. */
export function corruptFile(finding: string): SluiceError {
  return new SluiceError("unavailable", `The file of vectors.store.path ${FIXES.get(11)}.`, {
    cause: finding,
  });
}
