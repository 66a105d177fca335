import type { Pool } from "pg";
import { SluiceError } from "../../../core/errors.ts";
import { withoutExtension } from "./postgres-error.ts";

/** pgvector 0.5 brought the HNSW index. */
const LEAST_MINOR = 5;
/** Layout of the tables, kept in `sluice_vector_layout`. */
const LAYOUT_VERSION = 1;
/** Replicas that start together make the tables one after another. */
const LAYOUT_LOCK = 7_304_112_650;

const TABLES = `
  CREATE TABLE IF NOT EXISTS sluice_vector_layout (version integer NOT NULL);
  CREATE TABLE IF NOT EXISTS sluice_vector_collections (
    number bigserial PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    dimensions integer NOT NULL,
    metric text NOT NULL,
    origin text NOT NULL
  );
`;

/** What the database can do. */
export interface PreparedDatabase {
  readonly extensionVersion: string;
  /** An index scan goes on until the filter has let enough through: pgvector 0.8 and newer. */
  readonly hasIterativeScan: boolean;
}

/**
 * Makes the tables that all collections share, and the extension where the user may.
 *
 * @throws SluiceError `unavailable` when there is no pgvector or one that is too old, or the tables are of a newer version
 */
export async function prepareDatabase(pool: Pool): Promise<PreparedDatabase> {
  const extensionVersion = await findExtension(pool);
  const [major = 0, minor = 0] = extensionVersion.split(".").map(Number);
  if (major === 0 && minor < LEAST_MINOR) throw tooOld(extensionVersion);
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock($1)", [LAYOUT_LOCK]);
    await client.query(TABLES);
    const { rows } = await client.query("SELECT version FROM sluice_vector_layout");
    const version = Number(rows[0]?.version ?? 0);
    if (version > LAYOUT_VERSION) {
      const message = "The tables of vectors were made by a newer version; use that one.";
      throw new SluiceError("unavailable", message);
    }
    if (version === 0) {
      await client.query("INSERT INTO sluice_vector_layout VALUES ($1)", [LAYOUT_VERSION]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  } finally {
    client.release();
  }
  return { extensionVersion, hasIterativeScan: major > 0 || minor >= 8 };
}

async function findExtension(pool: Pool): Promise<string> {
  const read = async () => {
    const sql = "SELECT extversion FROM pg_extension WHERE extname = 'vector'";
    const { rows } = await pool.query(sql);
    return rows[0]?.extversion as string | undefined;
  };
  const found = await read();
  if (found !== undefined) return found;
  await pool.query("CREATE EXTENSION IF NOT EXISTS vector").catch((cause: unknown) => {
    throw withoutExtension(cause);
  });
  const made = await read();
  if (made === undefined) throw withoutExtension(undefined);
  return made;
}

function tooOld(version: string): SluiceError {
  const message = `The database of vectors.store.url has pgvector ${version.slice(0, 20)}; install 0.${LEAST_MINOR} or later on its machine and run ALTER EXTENSION vector UPDATE there.`;
  return new SluiceError("unavailable", message);
}
