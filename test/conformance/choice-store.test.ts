import { afterAll, beforeAll, describe } from "vitest";
import { createChoiceStore } from "../../src/stores/records/choice-store.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { DatabasePair } from "../support/record-databases.ts";
import { openPostgresPair, openSqlitePair } from "../support/record-databases.ts";
import { describeChoiceStore } from "./choice-store.ts";

const toStores = ({ first, second, close }: DatabasePair) => ({
  first: createChoiceStore(first),
  second: createChoiceStore(second),
  close,
});

describeChoiceStore("SQLite", async () => toStores(await openSqlitePair()));

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());
  describeChoiceStore("PostgreSQL", async () => toStores(await openPostgresPair(server.url)));
});
