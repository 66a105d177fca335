import { SluiceError } from "../../../core/errors.ts";
import { unknownCollection } from "../check-vectors.ts";

/** Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) and what mends them. */
const FIXES: ReadonlyMap<string, string> = new Map([
  ["28P01", "refuses the password; correct it"],
  ["28000", "refuses the user; correct it"],
  ["3D000", "has no database of that name; create it"],
  ["25006", "only reads; name the primary one"],
  ["42501", "does not let the user do this; grant the rights"],
  ["53100", "has no room on its disk; free some"],
  [
    "53300",
    "has no connection left; lower vectors.store.maxConnections or raise its max_connections",
  ],
  ["57014", "took longer than vectors.store.statementTimeoutMs; raise it, or ask for less"],
]);
const UNDEFINED_TABLE = "42P01";

/** What a failure of the database means for whoever asked. The address and its password are in no message. */
export function toPostgresError(thrown: unknown): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  // Somebody dropped the collection after it was looked up.
  if (code === UNDEFINED_TABLE) return unknownCollection();
  const fix = FIXES.get(code) ?? "cannot be reached or fails; start it, or correct the address";
  return new SluiceError("unavailable", `The PostgreSQL server of vectors.store.url ${fix}.`, {
    cause: thrown,
  });
}

export function withoutExtension(cause: unknown): SluiceError {
  const message =
    "The database of vectors.store.url has no pgvector; install the package postgresql-NN-pgvector on its machine and run CREATE EXTENSION vector there.";
  return new SluiceError("unavailable", message, { cause });
}
