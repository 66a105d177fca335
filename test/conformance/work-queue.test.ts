import { afterAll, beforeAll, describe } from "vitest";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { createTableWorkQueue } from "../../src/stores/records/work-queue-table.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { DatabasePair } from "../support/record-databases.ts";
import { openPostgresPair, openSqlitePair } from "../support/record-databases.ts";
import type { WorkQueuesUnderTest } from "./work-queue.ts";
import { describeWorkQueue } from "./work-queue.ts";

const toQueue = (database: RecordDatabase) =>
  createTableWorkQueue(database, { epochMs: Date.now, pollMs: 50 });

function toQueues({ first, second, close }: DatabasePair): WorkQueuesUnderTest {
  const queues = { first: toQueue(first), second: toQueue(second) };
  return {
    ...queues,
    close: async () => {
      await Promise.all([queues.first.close(), queues.second.close()]);
      await close();
    },
  };
}

describeWorkQueue("a table in SQLite", async () => toQueues(await openSqlitePair()));

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());
  describeWorkQueue("a table in PostgreSQL", async () =>
    toQueues(await openPostgresPair(server.url)),
  );
});
