import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { getLoadablePath } from "sqlite-vec";
import type { VectorItem, VectorStore } from "../../src/core/ports/vector-store.ts";
import { createPgvectorStore } from "../../src/stores/vectors/pgvector.ts";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite-vec.ts";
import { startPgliteServer } from "../../test/support/pglite-server.ts";
import type { Contest } from "./contest.ts";
import { repeat } from "./contest.ts";

const DIMENSIONS = 384;
const BATCH = 200;
const SEARCHES = 50;

/** sqlite-vec by hand, on a file with the same settings and statements without anything around them. */
export async function createSqliteVectorContests(folder: string): Promise<{
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}> {
  const store = await createSqliteVectorStore({ path: join(folder, "vectors.db") });
  const raw = new DatabaseSync(join(folder, "raw-vectors.db"), { allowExtension: true });
  raw.loadExtension(getLoadablePath());
  raw.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536");
  raw.exec("CREATE TABLE items (id TEXT PRIMARY KEY, vector BLOB NOT NULL, text TEXT) STRICT");
  const insert = raw.prepare("INSERT OR REPLACE INTO items VALUES (?, ?, ?)");
  const search = raw.prepare(
    "SELECT id, text, vec_distance_cosine(vector, ?) AS distance FROM items ORDER BY distance LIMIT 10",
  );
  const put = async (items: readonly VectorItem[]) => {
    raw.exec("BEGIN IMMEDIATE");
    for (const { id, vector } of items) insert.run(id, toBytes(vector), "a text");
    raw.exec("COMMIT");
  };
  const find = async (vector: Float32Array) => void search.all(toBytes(vector));
  const contests = await toContests("vectors, sqlite-vec", store, 10_000, { put, find });
  return {
    contests,
    close: async () => {
      raw.close();
      await store.close();
    },
  };
}

/** pgvector by hand, through `pg`, over one connection: the server is PGlite, which has one session. */
export async function createPgvectorContests(): Promise<{
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}> {
  const server = await startPgliteServer();
  const store = await createPgvectorStore({
    ...{ url: server.url, maxConnections: 1 },
    ...{ connectTimeoutMs: 5000, statementTimeoutMs: 60_000 },
  });
  const raw = new pg.Client({ connectionString: server.url });
  await raw.connect();
  await raw.query(
    `CREATE TABLE raw (id text PRIMARY KEY, vector vector(${DIMENSIONS}), text text)`,
  );
  await raw.query("CREATE INDEX ON raw USING hnsw (vector vector_cosine_ops)");
  const put = async (items: readonly VectorItem[]) => {
    const values = items.flatMap(({ id, vector }) => [id, `[${vector.join(",")}]`, "a text"]);
    const rows = items.map((_, i) => `($${i * 3 + 1}, $${i * 3 + 2}, $${i * 3 + 3})`);
    const sql = `INSERT INTO raw VALUES ${rows.join(",")} ON CONFLICT (id) DO UPDATE SET vector = excluded.vector`;
    await raw.query(sql, values);
  };
  const find = async (vector: Float32Array) => {
    await raw.query("SET hnsw.ef_search = 400");
    await raw.query(
      "SELECT id, text, vector <=> $1 AS distance FROM raw ORDER BY distance LIMIT 10",
      [`[${vector.join(",")}]`],
    );
  };
  const contests = await toContests("vectors, pgvector", store, 1000, { put, find });
  return {
    contests,
    close: async () => {
      await raw.end();
      await store.close();
      await server.stop();
    },
  };
}

async function toContests(
  name: string,
  store: VectorStore,
  size: number,
  raw: {
    readonly put: (items: readonly VectorItem[]) => Promise<void>;
    readonly find: (vector: Float32Array) => Promise<void>;
  },
): Promise<readonly Contest[]> {
  const constants = { dimensions: DIMENSIONS, metric: "cosine", origin: "bench" } as const;
  await store.create({ name: "bench", ...constants });
  const items = Array.from({ length: size }, (_, i) => toItem(`i${i}`));
  for (let i = 0; i < items.length; i += BATCH) {
    await store.upsert("bench", items.slice(i, i + BATCH));
    await raw.put(items.slice(i, i + BATCH));
  }
  const some = items.slice(0, BATCH);
  const wanted = randomVector();
  return [
    {
      ...{
        store: name,
        what: `items of ${DIMENSIONS} stored, ${BATCH} in a call`,
        operations: BATCH,
      },
      driver: () => store.upsert("bench", some),
      raw: () => raw.put(some),
    },
    {
      ...{
        store: name,
        what: `10 nearest of ${size} items of ${DIMENSIONS}`,
        operations: SEARCHES,
      },
      driver: () => repeat(SEARCHES, 1, () => store.search("bench", { vector: wanted, k: 10 })),
      raw: () => repeat(SEARCHES, 1, () => raw.find(wanted)),
    },
  ];
}

function toItem(id: string): VectorItem {
  return { id, vector: randomVector(), text: "a text", label: undefined, metadata: {} };
}

function randomVector(): Float32Array {
  return Float32Array.from({ length: DIMENSIONS }, () => Math.random() - 0.5);
}

function toBytes(vector: Float32Array): Uint8Array {
  return new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
}
