import type { Pool, PoolConfig } from "pg";

export interface PostgresPoolOptions {
  /** `postgres://user:password@host:port/database`, with the parameters that `pg` knows. */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** How values are read that `pg` would give as text. */
  readonly types?: PoolConfig["types"];
}

/**
 * Connections to a PostgreSQL server, made when they are needed. A server that ends, whatever its connections do at that
 * moment, fails the statements that wait for it and nothing else.
 */
export async function createPostgresPool(options: PostgresPoolOptions): Promise<Pool> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    // The server's own limit does not help when the server is gone without a word.
    query_timeout: options.statementTimeoutMs + options.connectTimeoutMs,
    application_name: "sluice",
    keepAlive: true,
    ...(options.types === undefined ? {} : { types: options.types }),
  });
  // A connection that breaks while nobody uses it; the next statement gets another.
  pool.on("error", () => {});
  // The pool listens only to connections that lie idle. One that breaks in somebody's hands between two statements of a
  // transaction would end the process; so the next statement fails instead, and the pool throws the connection away.
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
