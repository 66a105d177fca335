import type { Config } from "../config/schema.ts";
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
