import { SluiceError } from "../../../core/errors.ts";
import { unknownCollection } from "../check-vectors.ts";

/** Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) and what mends them. */
const FIXES: ReadonlyMap<string, string> = new Map([
  ["28P01", "refuses the password in vectors.store.url; correct it"],
  ["28000", "refuses the user in vectors.store.url; correct it"],
  ["3D000", "has no database of the name in vectors.store.url; create it"],
  ["42501", "does not let the user in vectors.store.url do this; grant the rights"],
  ["53100", "has no room on its disk; free some"],
  ["57014", "took longer than vectors.store.statementTimeoutMs; raise it, or ask for less"],
]);
const UNDEFINED_TABLE = "42P01";

/** What a failure of the database means for whoever asked. The address and its password are in no message. */
export function toPostgresError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  // Somebody dropped the collection after it was looked up.
  if (code === UNDEFINED_TABLE) return unknownCollection();
  const fix = FIXES.get(code) ?? "cannot be reached or fails; check vectors.store.url";
  return new SluiceError("unavailable", `The PostgreSQL server of vectors ${fix}.`, {
    cause: thrown,
  });
}

export function withoutExtension(cause: unknown): SluiceError {
  const message =
    "The database of vectors has no pgvector; install the package postgresql-NN-pgvector on its machine and run CREATE EXTENSION vector there.";
  return new SluiceError("unavailable", message, { cause });
}
