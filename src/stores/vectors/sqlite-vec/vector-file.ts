import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { SluiceError } from "../../../core/errors.ts";
import type {
  VectorCollection,
  VectorFilter,
  VectorItem,
  VectorMatch,
  VectorMetric,
} from "../../../core/ports/vector-store.ts";
import {
  assertCollection,
  assertCount,
  assertFilter,
  assertSameCollection,
  assertVector,
  toUniqueItems,
  unknownCollection,
} from "../check-vectors.ts";
import { computeDistance, sumSquares } from "./exact-distance.ts";
import { toBlob, toCondition, toFloats, toItem, toMatch } from "./item-row.ts";

interface StoredCollection extends VectorCollection {
  readonly number: number;
}

/** Magnitudes between which sqlite-vec's 32-bit sums of squares neither overflow nor lose digits. */
const SAFE_SQUARES = { min: 1e-12, max: 1e12 };

/** The port's methods on an open file, without a thread of their own: each runs to its end. */
export class VectorFile {
  readonly #db: DatabaseSync;
  /** What the SQL function `exact_distance` compares with, set for the length of one search. */
  #query: { readonly metric: VectorMetric; readonly vector: Float32Array } | undefined;

  constructor(db: DatabaseSync) {
    this.#db = db;
    db.function("exact_distance", { deterministic: false }, (blob) => {
      const query = this.#query;
      if (query === undefined) return null;
      return computeDistance(query.metric, toFloats(blob), query.vector);
    });
  }

  create(collection: VectorCollection): void {
    assertCollection(collection);
    this.#transact(() => {
      const { name, dimensions, metric, origin } = collection;
      const found = this.#read(name);
      if (found !== undefined) assertSameCollection(found, collection);
      else {
        const sql = "INSERT INTO collections (name, dimensions, metric, origin) VALUES (?,?,?,?)";
        this.#db.prepare(sql).run(name, dimensions, metric, origin);
      }
    });
  }

  list(): readonly (VectorCollection & { readonly items: number })[] {
    const sql = `SELECT *, (SELECT count(*) FROM items WHERE collection = number) AS items
      FROM collections ORDER BY name`;
    const rows = this.#db.prepare(sql).all();
    return rows.map((row) => {
      const { number: _, ...collection } = toCollection(row);
      return { ...collection, items: Number(row["items"]) };
    });
  }

  drop(name: string): boolean {
    return this.#transact(() => {
      const found = this.#read(name);
      if (found === undefined) return false;
      this.#db.prepare("DELETE FROM items WHERE collection = ?").run(found.number);
      this.#db.prepare("DELETE FROM collections WHERE number = ?").run(found.number);
      return true;
    });
  }

  upsert(name: string, items: readonly VectorItem[]): void {
    this.#transact(() => {
      const collection = this.#get(name);
      const insert = this.#db.prepare(
        `INSERT INTO items (collection, id, label, metadata, squares, vector, text)
        VALUES (?,?,?,?,?,?,?)
        ON CONFLICT (collection, id) DO UPDATE SET label = excluded.label,
        metadata = excluded.metadata, squares = excluded.squares, vector = excluded.vector,
        text = excluded.text`,
      );
      for (const { id, label, metadata, vector, text } of toUniqueItems(collection, items)) {
        insert.run(
          collection.number,
          id,
          label ?? null,
          JSON.stringify(metadata),
          sumSquares(vector),
          toBlob(vector),
          text ?? null,
        );
      }
    });
  }

  remove(name: string, ids: readonly string[]): number {
    return this.#transact(() => {
      const { number } = this.#get(name);
      const remove = this.#db.prepare("DELETE FROM items WHERE collection = ? AND id = ?");
      return ids.reduce((removed, id) => removed + Number(remove.run(number, id).changes), 0);
    });
  }

  search(
    name: string,
    { vector, k, filter }: { vector: Float32Array; k: number; filter?: VectorFilter },
  ): readonly VectorMatch[] {
    const collection = this.#get(name);
    assertCount("k", k);
    assertFilter(filter);
    assertVector("vector", vector, collection);
    const { metric, number } = collection;
    const condition = toCondition(filter);
    const sql = `SELECT id, text, label, metadata, ${toDistance(metric, vector)} AS distance
      FROM items WHERE collection = ?${condition.sql} ORDER BY distance, id LIMIT ?`;
    const blob = toBlob(vector);
    const rows = this.#comparing({ metric, vector }, () =>
      this.#db.prepare(sql).all({ query: blob }, number, ...condition.values, k),
    );
    return rows.map((row) => toMatch(row, toScore(metric, Number(row["distance"]))));
  }

  page(
    name: string,
    { after, limit, filter }: { after?: string; limit: number; filter?: VectorFilter },
  ): readonly VectorItem[] {
    const { number } = this.#get(name);
    assertCount("limit", limit);
    assertFilter(filter);
    const condition = toCondition(filter);
    const sql = `SELECT * FROM items WHERE collection = ? AND id > ?${condition.sql}
      ORDER BY id LIMIT ?`;
    const rows = this.#db.prepare(sql).all(number, after ?? "", ...condition.values, limit);
    return rows.map(toItem);
  }

  close(): void {
    this.#db.close();
  }

  #comparing<T>(query: { metric: VectorMetric; vector: Float32Array }, work: () => T): T {
    this.#query = query;
    try {
      return work();
    } finally {
      this.#query = undefined;
    }
  }

  #get(name: string): StoredCollection {
    const found = this.#read(name);
    if (found === undefined) throw unknownCollection();
    return found;
  }

  #read(name: string): StoredCollection | undefined {
    const row = this.#db.prepare("SELECT * FROM collections WHERE name = ?").get(name);
    return row === undefined ? undefined : toCollection(row);
  }

  #transact<T>(work: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

function toCollection(row: Readonly<Record<string, SQLOutputValue>>): StoredCollection {
  const { number, name, dimensions, metric, origin } = row;
  if (metric !== "cosine" && metric !== "dot" && metric !== "l2") {
    throw new SluiceError("unavailable", "The file of vectors names a metric that is none.");
  }
  return {
    number: Number(number),
    name: String(name),
    dimensions: Number(dimensions),
    metric,
    origin: String(origin),
  };
}

/**
 * The distance in SQL. sqlite-vec has no dot product. Its sums are of 32-bit numbers: where they would overflow or vanish,
 * ours are taken. Measured over 100,000 vectors of 384: 140 ms by sqlite-vec, 320 ms by our function.
 */
function toDistance(metric: VectorMetric, query: Float32Array): string {
  const { min, max } = SAFE_SQUARES;
  const squares = sumSquares(query);
  const isSafe = squares > min && squares < max;
  if (metric === "dot" || !isSafe) return "iif(:query IS NULL, NULL, exact_distance(vector))";
  const fast = `vec_distance_${metric === "l2" ? "l2" : "cosine"}(vector, :query)`;
  return `iif(squares BETWEEN ${min} AND ${max}, ${fast}, exact_distance(vector))`;
}

function toScore(metric: VectorMetric, distance: number): number {
  if (metric === "l2") return distance;
  return metric === "cosine" ? 1 - distance : -distance;
}
