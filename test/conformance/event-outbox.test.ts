import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { appendEvents, createEventOutbox } from "../../src/stores/records/event-outbox.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { DatabasePair } from "../support/record-databases.ts";
import { openPostgresPair, openSqlitePair } from "../support/record-databases.ts";
import { toSampleEvent } from "../support/sample-event.ts";
import type { OutboxUnderTest } from "./event-outbox.ts";
import { describeEventOutbox } from "./event-outbox.ts";

function toOutboxes({ first, second, close }: DatabasePair): OutboxUnderTest {
  let nowMs = 1_700_000_000_000;
  const options = { epochMs: () => nowMs };
  return {
    first: createEventOutbox(first, options),
    second: createEventOutbox(second, options),
    pass: (ms) => {
      nowMs += ms;
    },
    clear: async () => {
      await first.db.deleteFrom("deliveries").execute();
      await first.db.deleteFrom("events").execute();
    },
    close,
  };
}

function describeTables(name: string, open: () => Promise<DatabasePair>): void {
  describeEventOutbox(name, async () => toOutboxes(await open()));

  describe(`tables of the outbox: ${name}`, () => {
    let pair: DatabasePair;
    beforeAll(async () => {
      pair = await open();
      await pair.first.db.deleteFrom("deliveries").execute();
      await pair.first.db.deleteFrom("events").execute();
    });
    afterAll(() => pair.close());

    test("events of a transaction that is undone are not there", async () => {
      const outbox = createEventOutbox(pair.second, { epochMs: Date.now });
      const outgoing = [{ event: toSampleEvent("undone"), destinations: ["nats"] }];
      const failing = pair.first.transact(async (trx) => {
        await appendEvents(trx, outgoing);
        throw new Error("the job could not be changed");
      });
      await expect(failing).rejects.toThrow();
      expect(await outbox.count()).toEqual({ waiting: 0, failed: 0 });
      await pair.first.transact((trx) => appendEvents(trx, outgoing));
      expect(await outbox.count()).toEqual({ waiting: 1, failed: 0 });
      const [delivery] = await outbox.take(1, 1000);
      if (delivery !== undefined) await outbox.delivered(delivery);
    });

    test("what is older than the retention is removed, and nothing that still waits", async () => {
      let nowMs = Date.now() + 1000;
      const outbox = createEventOutbox(pair.first, {
        epochMs: () => nowMs,
        deliveredRetentionMs: 3_600_000,
        failedRetentionMs: 7_200_000,
      });
      const ids = ["old-delivered", "old-failed", "old-waiting"];
      await outbox.append(
        ids.map((id) => ({ event: toSampleEvent(id, nowMs), destinations: ["nats"] })),
      );
      for (const delivery of await outbox.take(10, 1000)) {
        if (delivery.event.id === "old-delivered") await outbox.delivered(delivery);
        if (delivery.event.id === "old-failed") await outbox.fail(delivery, "gone");
      }
      const list = async () => {
        const rows = await pair.first.db.selectFrom("events").select("id").execute();
        return rows.map(({ id }) => id).filter((id) => id.startsWith("old-"));
      };
      nowMs += 3_599_000;
      await outbox.take(1, 1000, ["nats"]);
      expect(await list()).toHaveLength(3);
      nowMs += 3_000_000;
      await outbox.take(1, 1000, ["nats"]);
      expect((await list()).toSorted()).toEqual(["old-failed", "old-waiting"]);
      nowMs += 3_000_000;
      await outbox.take(1, 1000, ["nats"]);
      expect(await list()).toEqual(["old-waiting"]);
      expect(await outbox.count()).toEqual({ waiting: 1, failed: 0 });
    });
  });
}

describeTables("SQLite", openSqlitePair);

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());
  describeTables("PostgreSQL", () => openPostgresPair(server.url));
});
