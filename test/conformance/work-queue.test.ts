import { afterAll, beforeAll, describe } from "vitest";
import { createJetStreamWorkQueue } from "../../src/stores/queues/jetstream.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { createTableWorkQueue } from "../../src/stores/records/work-queue-table.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
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

const natsProblem = findNatsProblem();
describe.skipIf(natsProblem !== undefined)(
  `on NATS${natsProblem ? ` (${natsProblem})` : ""}`,
  () => {
    let server: NatsServer;
    beforeAll(async () => {
      server = await startNatsServer();
    });
    afterAll(() => server.close());
    const open = () =>
      createJetStreamWorkQueue({
        ...{ url: server.url, setting: "queue.store.url", prefix: "sluice" },
        ...{ connectTimeoutMs: 5000, timeoutMs: 5000, replicas: 1, dedupMs: 60_000 },
        ...{ leaseMs: 30_000, epochMs: Date.now },
      });
    describeWorkQueue("NATS JetStream", async () => {
      const [first, second] = await Promise.all([open(), open()]);
      const close = async () => void (await Promise.all([first.close(), second.close()]));
      return { first, second, close };
    });
  },
);
