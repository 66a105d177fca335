import type { Config } from "../config/schema.ts";
import { SluiceError } from "../core/errors.ts";
import type { SchemaState } from "../stores/records/migrations/migrate.ts";
import type { RecordDatabase } from "../stores/records/record-database.ts";

/** The part of the composition root that opens and looks after the database of records, for servers and commands. */

/**
 * Opens the database of records that the configuration chooses.
 *
 * @throws SluiceError `unavailable` with the fix
 */
export async function openRecordDatabase({ records: { store } }: Config): Promise<RecordDatabase> {
  if (store.driver === "sqlite") {
    const { openSqliteDatabase } = await import("../stores/records/sqlite/open-sqlite-database.ts");
    return await openSqliteDatabase(store);
  }
  const { openPostgresDatabase } = await import(
    "../stores/records/postgres/open-postgres-database.ts"
  );
  return await openPostgresDatabase(store);
}

/** @returns the names of the steps that were applied. @throws SluiceError see `migrateDatabase` */
export async function migrateRecords(
  database: RecordDatabase,
  epochMs: () => number,
): Promise<readonly string[]> {
  const { migrateDatabase } = await import("../stores/records/migrations/migrate.ts");
  return await migrateDatabase(database, epochMs);
}

/** What `migrateRecords` would do. @throws SluiceError see `inspectSchema` */
export async function inspectRecords(database: RecordDatabase): Promise<SchemaState> {
  const { inspectSchema } = await import("../stores/records/migrations/migrate.ts");
  return await inspectSchema(database);
}

/** @returns the size of the copy in bytes. @throws SluiceError see `backupSqlite` */
export async function backupRecords(config: Config, file: string): Promise<number> {
  const path = findFile(config, "pg_dump --format custom --file");
  const { backupSqlite } = await import("../stores/records/sqlite/backup-sqlite.ts");
  return backupSqlite(path, file);
}

/** @returns the file that was written. @throws SluiceError see `restoreSqlite` */
export async function restoreRecords(
  config: Config,
  file: string,
  force: boolean,
): Promise<string> {
  const path = findFile(config, "pg_restore --clean --dbname NAME");
  const { restoreSqlite } = await import("../stores/records/sqlite/backup-sqlite.ts");
  restoreSqlite(file, path, force);
  return path;
}

/** @throws SluiceError where the records are on a server, with its own way */
function findFile({ records: { store } }: Config, command: string): string {
  if (store.driver === "sqlite") return store.path;
  const message = `The records are in PostgreSQL, which has its own way: ${command} FILE.`;
  throw new SluiceError("invalid_argument", message);
}
