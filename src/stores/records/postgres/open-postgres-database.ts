import { Kysely, sql } from "kysely";
import { SluiceError } from "../../../core/errors.ts";
import type { PostgresPoolOptions } from "../../postgres/create-pool.ts";
import { createPostgresPool } from "../../postgres/create-pool.ts";
import type { RecordDatabase } from "../record-database.ts";
import type { RecordTables } from "../tables.ts";
import { describeFault, isCollision } from "./describe-fault.ts";
import { MappedPostgresDialect } from "./postgres-dialect.ts";

export type PostgresDatabaseOptions = Omit<PostgresPoolOptions, "types">;

/** Oldest version that the statements were tried on, as `server_version_num` writes it. */
const MIN_VERSION = 130_000;
/** Type of 64-bit whole numbers. */
const INT8 = 20;
/** How often a transaction that collided is begun again. */
const MAX_TRIES = 10;

/**
 * Connects to a PostgreSQL server, version 13 or later.
 *
 * @throws SluiceError `unavailable` with the fix when it cannot be reached, refuses the user or is too old
 */
export async function openPostgresDatabase(
  options: PostgresDatabaseOptions,
): Promise<RecordDatabase> {
  const { types } = await import("pg");
  const pool = await createPostgresPool({
    ...options,
    types: {
      getTypeParser: (type: number, format?: "text" | "binary") =>
        // Counts and milliseconds, all of them below 2^53.
        type === INT8 && format !== "binary" ? Number : types.getTypeParser(type, format),
    } as typeof types,
  });
  const db = new Kysely<RecordTables>({ dialect: new MappedPostgresDialect(pool) });
  try {
    await assertVersion(db);
  } catch (error) {
    await pool.end();
    throw error;
  }
  let isClosed = false;
  return {
    dialect: "postgres",
    description: `PostgreSQL, ${describeUrl(options.url)}`,
    db,
    transact: async (work) => {
      for (let tries = 1; ; tries++) {
        try {
          return await db.transaction().execute(work);
        } catch (thrown) {
          if (tries >= MAX_TRIES || !isCollision(thrown)) throw thrown;
        }
      }
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await pool.end();
    },
  };
}

async function assertVersion(db: Kysely<RecordTables>): Promise<void> {
  let version: number;
  try {
    const { rows } = await sql<{ version: string }>`
      select current_setting('server_version_num') as version`.execute(db);
    version = Number(rows[0]?.version);
  } catch (thrown) {
    throw describeFault(thrown);
  }
  if (version >= MIN_VERSION) return;
  const message = `The PostgreSQL server of records.store.url is of version ${Math.floor(version / 10_000)}; 13 or later is needed.`;
  throw new SluiceError("unavailable", message);
}

/** Where the server is; never the user's password. */
function describeUrl(url: string): string {
  if (!URL.canParse(url)) return "address unreadable";
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}
