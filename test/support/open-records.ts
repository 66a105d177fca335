import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";

/** The record database at a place: the address of a PostgreSQL database, or the path of a file. */
export async function openRecords(place: string): Promise<RecordDatabase> {
  if (!place.startsWith("postgres://")) {
    return await openSqliteDatabase({ path: place, busyTimeoutMs: 10_000 });
  }
  return await openPostgresDatabase({
    url: place,
    ...{ maxConnections: 5, connectTimeoutMs: 5000, statementTimeoutMs: 10_000 },
  });
}
