import { afterAll, beforeAll, describe } from "vitest";
import { createJobChunkStore } from "../../src/stores/records/job-chunk-store.ts";
import { createJobStore } from "../../src/stores/records/job-store.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { DatabasePair } from "../support/record-databases.ts";
import { openPostgresPair, openSqlitePair } from "../support/record-databases.ts";
import { describeJobStore } from "./job-store.ts";

const toStores = (database: RecordDatabase) => ({
  jobs: createJobStore(database, async () => {}),
  chunks: createJobChunkStore(database),
});

const toStoresOf = ({ first, second, close }: DatabasePair) => ({
  first: toStores(first),
  second: toStores(second),
  close,
});

describeJobStore("SQLite", async () => toStoresOf(await openSqlitePair()));

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());
  describeJobStore("PostgreSQL", async () => toStoresOf(await openPostgresPair(server.url)));
});
