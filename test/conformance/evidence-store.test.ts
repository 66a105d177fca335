import { afterAll, beforeAll, describe } from "vitest";
import { createEvidenceStore } from "../../src/stores/records/evidence-store.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { DatabasePair } from "../support/record-databases.ts";
import { openPostgresPair, openSqlitePair } from "../support/record-databases.ts";
import { describeEvidenceStore } from "./evidence-store.ts";

const toStores = ({ first, second, close }: DatabasePair) => ({
  first: createEvidenceStore(first),
  second: createEvidenceStore(second),
  close,
});

describeEvidenceStore("SQLite", async () => toStores(await openSqlitePair()));

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());
  describeEvidenceStore("PostgreSQL", async () => toStores(await openPostgresPair(server.url)));
});
