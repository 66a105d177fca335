import type { Pool, PoolClient } from "pg";
import { SluiceError } from "../../core/errors.ts";
import type {
  VectorCollection,
  VectorItem,
  VectorMatch,
  VectorStore,
} from "../../core/ports/vector-store.ts";
import type { PostgresPoolOptions } from "../postgres/create-pool.ts";
import { createPostgresPool } from "../postgres/create-pool.ts";
import {
  assertCollection,
  assertCount,
  assertFilter,
  assertSameCollection,
  assertVector,
  toUniqueItems,
  unknownCollection,
} from "./check-vectors.ts";
import {
  operatorOf,
  tableOf,
  toCondition,
  toItem,
  toMatch,
  toScore,
  toTableStatements,
  toVectorText,
} from "./pgvector/item-table.ts";
import { toPostgresError } from "./pgvector/postgres-error.ts";
import type { PreparedDatabase } from "./pgvector/prepare-database.ts";
import { prepareDatabase } from "./pgvector/prepare-database.ts";

export type PgvectorStoreOptions = Omit<PostgresPoolOptions, "types">;

interface StoredCollection extends VectorCollection {
  readonly number: number;
}

type Query = Parameters<VectorStore["search"]>[1];

/**
 * Vectors in PostgreSQL by pgvector, one table per collection, shared by all replicas.
 *
 * Up to 2000 dimensions a search goes by an HNSW index, which is approximate: it may miss a neighbour. With a filter the
 * index is read on until enough items passed (pgvector 0.8), or else everything is compared. When fewer than `k` come out
 * of the index, everything is compared.
 *
 * @throws SluiceError `unavailable` when the server cannot be reached or has no pgvector
 */
export async function createPgvectorStore(options: PgvectorStoreOptions): Promise<VectorStore> {
  const pool = await createPostgresPool(options);
  try {
    return new PgvectorStore(pool, await prepareDatabase(pool));
  } catch (error) {
    await pool.end();
    throw toPostgresError(error);
  }
}

class PgvectorStore implements VectorStore {
  readonly description: string;
  readonly #pool: Pool;
  readonly #database: PreparedDatabase;
  #closed: Promise<void> | undefined;

  constructor(pool: Pool, database: PreparedDatabase) {
    this.#pool = pool;
    this.#database = database;
    this.description = `pgvector ${database.extensionVersion}`;
  }

  create(collection: VectorCollection): Promise<void> {
    return this.#transact(async (client) => {
      assertCollection(collection);
      const { name, dimensions, metric, origin } = collection;
      const made = await client.query(
        `INSERT INTO sluice_vector_collections (name, dimensions, metric, origin)
        VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING RETURNING number`,
        [name, dimensions, metric, origin],
      );
      if (made.rows.length === 0) {
        assertSameCollection(await getCollection(client, name), collection);
        return;
      }
      const statements = toTableStatements(Number(made.rows[0].number), dimensions, metric);
      for (const statement of statements) await client.query(statement);
    });
  }

  list(): Promise<readonly (VectorCollection & { readonly items: number })[]> {
    return this.#transact(async (client) => {
      const { rows } = await client.query("SELECT * FROM sluice_vector_collections ORDER BY name");
      const listed: (VectorCollection & { items: number })[] = [];
      for (const row of rows) {
        const { number, ...collection } = toCollection(row);
        const counted = await client.query(`SELECT count(*) AS items FROM ${tableOf(number)}`);
        listed.push({ ...collection, items: Number(counted.rows[0]?.items) });
      }
      return listed;
    });
  }

  drop(name: string): Promise<boolean> {
    return this.#transact(async (client) => {
      const sql = "DELETE FROM sluice_vector_collections WHERE name = $1 RETURNING number";
      const { rows } = await client.query(sql, [name]);
      if (rows.length === 0) return false;
      await client.query(`DROP TABLE ${tableOf(Number(rows[0].number))}`);
      return true;
    });
  }

  upsert(name: string, items: readonly VectorItem[]): Promise<void> {
    return this.#transact(async (client) => {
      const collection = await getCollection(client, name);
      const unique = toUniqueItems(collection, items);
      // One order for everybody: two calls with the same ids wait for each other and never both.
      const rows = unique.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      await client.query(
        `INSERT INTO ${tableOf(collection.number)} (id, vector, text, label, metadata)
        SELECT * FROM unnest($1::text[], $2::text[]::vector[], $3::text[], $4::text[], $5::text[]::jsonb[])
        ON CONFLICT (id) DO UPDATE SET vector = excluded.vector, text = excluded.text,
        label = excluded.label, metadata = excluded.metadata`,
        [
          rows.map(({ id }) => id),
          rows.map(({ vector }) => toVectorText(vector)),
          rows.map(({ text }) => text ?? null),
          rows.map(({ label }) => label ?? null),
          rows.map(({ metadata }) => JSON.stringify(metadata)),
        ],
      );
    });
  }

  remove(name: string, ids: readonly string[]): Promise<number> {
    return this.#transact(async (client) => {
      const { number } = await getCollection(client, name);
      const sql = `DELETE FROM ${tableOf(number)} WHERE id = ANY($1::text[])`;
      const { rowCount } = await client.query(sql, [ids]);
      return rowCount ?? 0;
    });
  }

  search(name: string, query: Query): Promise<readonly VectorMatch[]> {
    return this.#transact(async (client) => {
      const collection = await getCollection(client, name);
      assertCount("k", query.k);
      assertFilter(query.filter);
      assertVector("vector", query.vector, collection);
      const { hasIterativeScan } = this.#database;
      if (query.filter === undefined || hasIterativeScan) {
        // At least `k` candidates; 1000 is the most that pgvector takes.
        await client.query(`SET LOCAL hnsw.ef_search = ${Math.min(1000, Math.max(400, query.k))}`);
        if (hasIterativeScan) {
          await client.query("SET LOCAL hnsw.iterative_scan = strict_order");
          await client.query("SET LOCAL hnsw.max_scan_tuples = 2147483647");
        }
        const found = await findNearest(client, collection, query);
        if (found.length === query.k) return found;
      }
      await client.query("SET LOCAL enable_indexscan = off");
      return await findNearest(client, collection, query);
    });
  }

  page(
    name: string,
    { after, limit, filter }: Parameters<VectorStore["page"]>[1],
  ): Promise<readonly VectorItem[]> {
    return this.#transact(async (client) => {
      const { number } = await getCollection(client, name);
      assertCount("limit", limit);
      assertFilter(filter);
      const condition = toCondition(filter, 3);
      const sql = `SELECT id, text, label, metadata, vector::text AS vector FROM ${tableOf(number)}
        WHERE id > $1${condition.sql} ORDER BY id LIMIT $2`;
      const { rows } = await client.query(sql, [after ?? "", limit, ...condition.values]);
      return rows.map(toItem);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    return this.#closed;
  }

  async #transact<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#closed !== undefined) {
      throw new SluiceError("unavailable", "The store of vectors is closed.");
    }
    let client: PoolClient | undefined;
    let broken = false;
    try {
      client = await this.#pool.connect();
      await client.query("BEGIN");
      const result = await work(client);
      await client.query("COMMIT");
      return result;
    } catch (error) {
      await client?.query("ROLLBACK").catch(() => {
        broken = true;
      });
      throw toPostgresError(error);
    } finally {
      client?.release(broken);
    }
  }
}

async function findNearest(
  client: PoolClient,
  { number, metric }: StoredCollection,
  { vector, k, filter }: Query,
): Promise<readonly VectorMatch[]> {
  const condition = toCondition(filter, 3);
  const sql = `SELECT id, text, label, metadata, vector ${operatorOf(metric)} $1::vector AS distance
    FROM ${tableOf(number)} WHERE true${condition.sql} ORDER BY distance, id LIMIT $2`;
  const { rows } = await client.query(sql, [toVectorText(vector), k, ...condition.values]);
  return rows.map((row) => toMatch(row, toScore(metric, Number(row.distance))));
}

async function getCollection(client: PoolClient, name: string): Promise<StoredCollection> {
  const sql = "SELECT * FROM sluice_vector_collections WHERE name = $1";
  const { rows } = await client.query(sql, [name]);
  if (rows.length === 0) throw unknownCollection();
  return toCollection(rows[0]);
}

function toCollection(row: Record<string, unknown>): StoredCollection {
  const { number, name, dimensions, metric, origin } = row;
  if (metric !== "cosine" && metric !== "dot" && metric !== "l2") {
    throw new SluiceError("unavailable", "The table of collections names a metric that is none.");
  }
  return {
    number: Number(number),
    name: String(name),
    dimensions: Number(dimensions),
    metric,
    origin: String(origin),
  };
}
