import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";

/** Two handles on one database with all tables, as two processes have them. */
export interface DatabasePair {
  readonly first: RecordDatabase;
  readonly second: RecordDatabase;
  close(): Promise<void>;
}

/** A file in a temporary folder. */
export async function openSqlitePair(): Promise<DatabasePair> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-records-"));
  const open = () =>
    openSqliteDatabase({ path: join(folder, "records.db"), busyTimeoutMs: 10_000 });
  return await migrate(await open(), await open(), () =>
    rm(folder, { recursive: true, force: true }),
  );
}

/** A database of a server. */
export async function openPostgresPair(url: string): Promise<DatabasePair> {
  const open = () =>
    openPostgresDatabase({
      url,
      ...{ maxConnections: 5, connectTimeoutMs: 5000, statementTimeoutMs: 10_000 },
    });
  return await migrate(await open(), await open(), async () => {});
}

async function migrate(
  first: RecordDatabase,
  second: RecordDatabase,
  cleanUp: () => Promise<void>,
): Promise<DatabasePair> {
  await Promise.all([migrateDatabase(first, Date.now), migrateDatabase(second, Date.now)]);
  return {
    first,
    second,
    close: async () => {
      await Promise.all([first.close(), second.close()]);
      await cleanUp();
    },
  };
}
