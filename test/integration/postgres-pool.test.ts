import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPostgresPool } from "../../src/stores/postgres/create-pool.ts";
import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";

const problem = findPostgresProblem();
const LIMITS = { maxConnections: 2, connectTimeoutMs: 5000, statementTimeoutMs: 5000 };
/** Long enough that the client has heard of the end before its next statement. */
const rest = () => new Promise((resolve) => setTimeout(resolve, 200));

// A connection that breaks while a statement waits fails the statement. One that breaks between two statements has nobody
// to tell, and what nobody hears ends a process: the run of these tests would fail by an unhandled error.
describe.skipIf(problem !== undefined)(
  `connections that break in somebody's hands${problem ? ` (${problem})` : ""}`,
  () => {
    let server: PostgresServer;
    beforeAll(async () => {
      server = await startPostgresServer();
    }, 60_000);
    afterAll(() => server?.close());

    test("one that the server ends fails the next statement, and the pool makes another", async () => {
      const pool = await createPostgresPool({ url: server.url, ...LIMITS });
      const held = await pool.connect();
      const { rows } = await held.query("SELECT pg_backend_pid() AS pid");
      await pool.query("SELECT pg_terminate_backend($1)", [rows[0].pid]);
      await rest();
      await expect(held.query("SELECT 1")).rejects.toThrow();
      held.release();
      expect(pool.totalCount).toBe(1);
      // Both of them, so that the one that broke would be seen if it were still there.
      const both = await Promise.all([pool.connect(), pool.connect()]);
      for (const client of both) expect((await client.query("SELECT 1")).rowCount).toBe(1);
      for (const client of both) client.release();
      await pool.end();
    });

    test("a transaction over the end of the server fails whole, and the next one works", async () => {
      const database = await openPostgresDatabase({ url: server.url, ...LIMITS });
      await database.db.schema.createTable("kept").addColumn("n", "integer").execute();
      const add = (n: number) => `INSERT INTO kept VALUES (${n})`;
      const { CompiledQuery } = await import("kysely");
      const broken = database.transact(async (trx) => {
        await trx.executeQuery(CompiledQuery.raw(add(1)));
        await server.kill();
        await rest();
        await trx.executeQuery(CompiledQuery.raw(add(2)));
      });
      await expect(broken).rejects.toMatchObject({ code: "unavailable" });
      await server.restart();
      await database.transact((trx) => trx.executeQuery(CompiledQuery.raw(add(3))));
      const kept = await database.db.executeQuery(CompiledQuery.raw("SELECT n FROM kept"));
      expect(kept.rows).toEqual([{ n: 3 }]);
      await database.close();
    }, 60_000);
  },
);
