import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Pool } from "pg";
import pg from "pg";
import type { NewJob } from "../../src/core/ports/job-store.ts";
import { createJobChunkStore } from "../../src/stores/records/job-chunk-store.ts";
import { createJobStore } from "../../src/stores/records/job-store.ts";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import { startPostgresServer } from "../../test/support/postgres-server.ts";
import type { Contest } from "./contest.ts";
import { repeat } from "./contest.ts";

/** A chunk as jobs have them: 512 rows of about 100 characters. */
const INPUT = "x".repeat(512 * 100);
const ROWS = 512;
const WRITES = 200;
const READS = 1000;

const UPDATE_JOB =
  "UPDATE jobs SET total_rows = total_rows + $1, chunks = chunks + 1 WHERE id = $2 AND state = 'receiving'";
const INSERT_CHUNK =
  "INSERT INTO job_chunks (job_id, position, first_row, row_count, input, failed_rows, done_round) VALUES ($1, $2, $3, $4, $5, 0, -1)";
const READ_CHUNK = "SELECT * FROM job_chunks WHERE job_id = $1 AND position = $2";

/** The statements of the drivers by hand, on a file with the same settings. */
export async function createSqliteContests(folder: string): Promise<{
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}> {
  const path = join(folder, "driver.db");
  const database = await openSqliteDatabase({ path, busyTimeoutMs: 5000 });
  await migrateDatabase(database, Date.now);
  const rawPath = join(folder, "raw.db");
  const second = await openSqliteDatabase({ path: rawPath, busyTimeoutMs: 5000 });
  await migrateDatabase(second, Date.now);
  const rawJob = await createJob(second);
  await second.close();
  const raw = new DatabaseSync(rawPath);
  raw.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON");
  const toQuestionMarks = (sql: string) => sql.replaceAll(/\$\d/g, "?");
  const update = raw.prepare(toQuestionMarks(UPDATE_JOB));
  const insert = raw.prepare(toQuestionMarks(INSERT_CHUNK));
  const read = raw.prepare(toQuestionMarks(READ_CHUNK));
  let position = 0;
  const contests = await toContests("records, SQLite", database, {
    write: async () => {
      raw.exec("BEGIN IMMEDIATE");
      update.run(ROWS, rawJob);
      insert.run(rawJob, position, position * ROWS, ROWS, INPUT);
      raw.exec("COMMIT");
      position++;
    },
    read: async (index) => void read.all(rawJob, index % position),
  });
  return {
    contests,
    close: async () => {
      raw.close();
      await database.close();
    },
  };
}

/** The statements of the drivers by hand, through `pg`, over as many connections. */
export async function createPostgresContests(): Promise<{
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}> {
  const server = await startPostgresServer();
  const limits = { maxConnections: 10, connectTimeoutMs: 5000, statementTimeoutMs: 30_000 };
  const database = await openPostgresDatabase({ url: server.url, ...limits });
  await migrateDatabase(database, Date.now);
  const rawJob = await createJob(database);
  const pool = new pg.Pool({ connectionString: server.url, max: 10 });
  let position = 0;
  const contests = await toContests("records, PostgreSQL", database, {
    write: async () => {
      const index = position++;
      await transact(pool, async (client) => {
        await client.query(UPDATE_JOB, [ROWS, rawJob]);
        await client.query(INSERT_CHUNK, [rawJob, index, index * ROWS, ROWS, INPUT]);
      });
    },
    read: (index) => pool.query(READ_CHUNK, [rawJob, index % position]),
  });
  return {
    contests,
    close: async () => {
      await pool.end();
      await database.close();
      await server.close();
    },
  };
}

async function toContests(
  store: string,
  database: RecordDatabase,
  raw: {
    readonly write: (index: number) => Promise<unknown>;
    readonly read: (index: number) => Promise<unknown>;
  },
): Promise<readonly Contest[]> {
  const chunks = createJobChunkStore(database);
  const job = await createJob(database);
  let position = 0;
  const write = () => {
    const index = position++;
    return chunks.add(job, { index, firstRow: index * ROWS, rows: ROWS, input: INPUT });
  };
  const read = (index: number) => chunks.read(job, index % position);
  return [
    {
      ...{ store, what: "chunks of 50 KB stored, one after the other", operations: WRITES },
      driver: () => repeat(WRITES, 1, write),
      raw: () => repeat(WRITES, 1, raw.write),
    },
    {
      ...{ store, what: "chunks of 50 KB read, 4 at once", operations: READS },
      driver: () => repeat(READS, 4, read),
      raw: () => repeat(READS, 4, raw.read),
    },
  ];
}

async function createJob(database: RecordDatabase): Promise<string> {
  const job: NewJob = {
    id: `job_${randomUUID()}`,
    owner: "bench",
    request: {
      ...{ model: undefined, version: undefined, webhookUrl: undefined },
      options: { topK: undefined, functionToApply: undefined, abstainBelow: undefined },
    },
    idempotencyKey: undefined,
    createdAtMs: Date.now(),
    expiresAtMs: Date.now() + 3_600_000,
  };
  await createJobStore(database, async () => {}).create(job);
  return job.id;
}

async function transact(
  pool: Pool,
  work: (client: { query(sql: string, values: unknown[]): Promise<unknown> }) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}
