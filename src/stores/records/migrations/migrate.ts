import type { Transaction } from "kysely";
import { sql } from "kysely";
import { SluiceError } from "../../../core/errors.ts";
import type { RecordDatabase } from "../record-database.ts";
import type { RecordTables } from "../tables.ts";
import { MIGRATIONS } from "./list.ts";
import type { Migration } from "./migration.ts";

/** Names the lock that processes take while they change the schema; any number that nobody else uses. */
const LOCK = 7_583_192;

export interface SchemaState {
  readonly applied: readonly string[];
  readonly missing: readonly string[];
}

/**
 * Brings the schema up to this program, all steps or none. Any number of processes may do so at once: one of them works, the
 * others wait and find it done.
 *
 * @returns the names of the steps that were applied now
 * @throws SluiceError `unavailable` when the database is of a newer program; nothing is written then
 */
export function migrateDatabase(
  database: RecordDatabase,
  epochMs: () => number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly string[]> {
  return database.transact(async (trx) => {
    if (database.dialect === "postgres") {
      await sql`select pg_advisory_xact_lock(${LOCK})`.execute(trx);
    }
    await trx.schema
      .createTable("sluice_migrations")
      .ifNotExists()
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("applied_at_ms", "bigint", (column) => column.notNull())
      .execute();
    const { missing } = await compare(trx, migrations);
    const todo = migrations.filter(({ name }) => missing.includes(name));
    for (const { name, apply } of todo) {
      await apply(trx, database.dialect);
      await trx
        .insertInto("sluice_migrations")
        .values({ name, applied_at_ms: epochMs() })
        .execute();
    }
    return todo.map(({ name }) => name);
  });
}

/** What `migrateDatabase` would find; writes nothing. @throws SluiceError as it does */
export async function inspectSchema(
  database: RecordDatabase,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<SchemaState> {
  const tables = await database.db.introspection.getTables();
  if (!tables.some(({ name }) => name === "sluice_migrations")) {
    return { applied: [], missing: migrations.map(({ name }) => name) };
  }
  return database.transact((trx) => compare(trx, migrations));
}

async function compare(
  trx: Transaction<RecordTables>,
  migrations: readonly Migration[],
): Promise<SchemaState> {
  const rows = await trx.selectFrom("sluice_migrations").select("name").orderBy("name").execute();
  const applied = rows.map(({ name }) => name);
  const known = migrations.map(({ name }) => name);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const message = `The record database is of a newer program: it has ${unknown.join(", ")}. Start that program, or restore a backup from before.`;
    throw new SluiceError("unavailable", message);
  }
  return { applied, missing: known.filter((name) => !applied.includes(name)) };
}
