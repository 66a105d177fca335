import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { Kysely } from "kysely";
import { SluiceError } from "../../../core/errors.ts";
import type { RecordDatabase } from "../record-database.ts";
import type { RecordTables } from "../tables.ts";
import { openSqliteConnection } from "./sqlite-connection.ts";
import { createSqliteDialect } from "./sqlite-dialect.ts";

export interface SqliteDatabaseOptions {
  /** The file; it and its folder are made when they are missing, for this user alone. */
  readonly path: string;
  /** How long to wait for another process that writes. */
  readonly busyTimeoutMs: number;
}

/**
 * Opens the embedded record database: a file, written through a log (WAL), every commit on the disk before it is acknowledged.
 * Processes of one machine may share it; machines may not.
 *
 * @throws SluiceError `unavailable` with the path and the fix: not writable, damaged, no database, disk full
 */
export async function openSqliteDatabase(options: SqliteDatabaseOptions): Promise<RecordDatabase> {
  const path = resolve(options.path);
  makeFile(path);
  const { busyTimeoutMs } = options;
  const connection = await openSqliteConnection({ path, busyTimeoutMs });
  const db = new Kysely<RecordTables>({ dialect: createSqliteDialect(connection) });
  return {
    dialect: "sqlite",
    description: `SQLite, ${options.path}`,
    db,
    transact: (work) => db.transaction().execute(work),
    close: () => connection.close(),
  };
}

/** Jobs hold texts of callers, so nobody else may read the file; SQLite gives its log the same rights. */
function makeFile(path: string): void {
  const folder = dirname(path);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    const fix = "give this user the right to write there, or name another file";
    const message = `The record database ${path} (records.store.path) cannot be made or written${reason}; ${fix}.`;
    throw new SluiceError("unavailable", message, { cause });
  }
}
