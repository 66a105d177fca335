import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  Kysely,
  QueryResult,
} from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { SqliteConnection } from "./sqlite-connection.ts";
import type { SqlValue } from "./statement.ts";

/** Lets Kysely speak to a database on a thread. There is one connection: who has it keeps the others waiting. */
export function createSqliteDialect(connection: SqliteConnection): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new SqliteThreadDriver(connection),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class SqliteThreadDriver implements Driver {
  readonly #connection: ThreadConnection;
  /** Settles when the connection is free. */
  #free: Promise<void> = Promise.resolve();
  #release: () => void = () => {};

  constructor(connection: SqliteConnection) {
    this.#connection = new ThreadConnection(connection);
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = promise;
    await before;
    this.#release = resolve;
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    // Takes the lock of writers at once: two transactions that begin by reading could otherwise never both go on.
    await this.#connection.run("BEGIN IMMEDIATE");
  }

  async commitTransaction(): Promise<void> {
    await this.#connection.run("COMMIT");
  }

  async rollbackTransaction(): Promise<void> {
    // After some faults, such as a full disk, SQLite has rolled back by itself; the fault is what the caller is told.
    await this.#connection.run("ROLLBACK").catch(() => {});
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async destroy(): Promise<void> {
    await this.#connection.close();
  }
}

class ThreadConnection implements DatabaseConnection {
  readonly #connection: SqliteConnection;

  constructor(connection: SqliteConnection) {
    this.#connection = connection;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = await this.#connection.run(sql, parameters.map(toSqlValue));
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) };
  }

  // biome-ignore lint/correctness/useYield: rows are never streamed; pages are asked for instead
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error("The record database gives no streams.");
  }

  async run(sql: string): Promise<void> {
    await this.#connection.run(sql, []);
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** SQLite has no truth values. */
function toSqlValue(value: unknown): SqlValue {
  if (value === undefined) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  return value as SqlValue;
}
