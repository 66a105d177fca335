import { afterAll, beforeAll, describe } from "vitest";
import { appendEvents } from "../../src/stores/records/event-outbox.ts";
import { createReleaseStore } from "../../src/stores/records/release-store.ts";
import { MemoryReleaseStore } from "../support/memory-release-store.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { DatabasePair } from "../support/record-databases.ts";
import { openPostgresPair, openSqlitePair } from "../support/record-databases.ts";
import { describeReleaseStore } from "./release-store.ts";

const toStores = ({ first, second, close }: DatabasePair) => ({
  first: createReleaseStore(first, appendEvents),
  second: createReleaseStore(second, appendEvents),
  outbox: async () => {
    const rows = await first.db.selectFrom("events").select("id").execute();
    return rows.map(({ id }) => id);
  },
  close,
});

// What other tests decide with.
describeReleaseStore("memory", async () => {
  const store = new MemoryReleaseStore();
  return {
    ...{ first: store, second: store },
    outbox: async () => store.outbox,
    close: async () => {},
  };
});

describeReleaseStore("SQLite", async () => toStores(await openSqlitePair()));

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());
  describeReleaseStore("PostgreSQL", async () => toStores(await openPostgresPair(server.url)));
});
