import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WorkQueue } from "../../src/core/ports/work-queue.ts";
import { createJetStreamWorkQueue } from "../../src/stores/queues/jetstream.ts";
import { createEventOutbox } from "../../src/stores/records/event-outbox.ts";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import { createTableWorkQueue } from "../../src/stores/records/work-queue-table.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import { toSampleEvent } from "../support/sample-event.ts";
import type { SmallDisk } from "../support/small-disk.ts";
import { findSmallDiskProblem, mountDisk } from "../support/small-disk.ts";
import { startTestServer } from "../support/test-server.ts";

// Queues and outboxes on disks that become full: it is said, what was acknowledged is whole, and with room they go on.

/** Both databases have room for at least this much more afterwards. */
const ROOM_KIB = 131_072;

/** Text that cannot be compressed, so that a store which tries needs the room. */
function randomText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(35 + Math.random() * 56)).join("");
}

const toWork = (i: number) => ({ id: `w${i}`, lane: "normal" as const, body: randomText(20_000) });

/** Adds until the store takes no more. */
async function fill(add: (i: number) => Promise<unknown>) {
  for (let stored = 0; stored < 3000; stored++) {
    const error = await add(stored).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== undefined) return { stored, error };
  }
  throw new Error("The disk did not become full.");
}

/** What tables of the records must do, on a disk that `resize` makes larger. */
function describeTables(
  name: string,
  {
    problem,
    open,
    message,
  }: {
    readonly problem: string | undefined;
    readonly open: () => Promise<{ database: RecordDatabase; disk: SmallDisk }>;
    readonly message: RegExp;
  },
) {
  const note = problem === undefined ? "" : ` [skipped: ${problem}]`;
  describe.skipIf(problem !== undefined)(`tables in ${name}${note}`, () => {
    let database: RecordDatabase;
    let disk: SmallDisk;
    beforeEach(async () => {
      ({ database, disk } = await open());
      await migrateDatabase(database, Date.now);
    });

    test("the queue hands out what was acknowledged, in its order, and takes more when there is room", async () => {
      const queue = createTableWorkQueue(database, { epochMs: Date.now, pollMs: 50 });
      const { stored, error } = await fill((i) => queue.add([toWork(i)]));
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(message),
      });
      expect(stored).toBeGreaterThan(5);
      disk.resize(ROOM_KIB);
      expect(await queue.count()).toMatchObject({ waiting: stored });
      await queue.add([toWork(stored)]);
      const taken = await queue.take({ max: 5000, waitMs: 0, leaseMs: 60_000 });
      const ids = Array.from({ length: stored + 1 }, (_, i) => `w${i}`);
      expect(taken.map(({ id }) => id)).toEqual(ids);
      await queue.close();
    });

    test("the outbox has every event that was acknowledged, with all its deliveries, and no part of another", async () => {
      const outbox = createEventOutbox(database, { epochMs: Date.now });
      const destinations = ["nats", "webhooks.first", "webhooks.second"];
      const toEvents = (i: number) =>
        [0, 1, 2, 3].map((part) => {
          const event = toSampleEvent(`e${i}-${part}`);
          return { event: { ...event, data: { job_id: randomText(8000) } }, destinations };
        });
      const { stored, error } = await fill((i) => outbox.append(toEvents(i)));
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(message),
      });
      expect(stored).toBeGreaterThan(3);
      disk.resize(ROOM_KIB);
      expect(await outbox.count()).toEqual({ waiting: stored * 12, failed: 0 });
      const events = await database.db.selectFrom("events").select("id").execute();
      expect(events).toHaveLength(stored * 4);
      await outbox.append(toEvents(stored));
      expect(await outbox.count()).toEqual({ waiting: (stored + 1) * 12, failed: 0 });
      const [delivery] = await outbox.take(1, 60_000);
      if (delivery === undefined) throw new Error("Nothing is due.");
      await outbox.delivered(delivery);
      expect(await outbox.count()).toEqual({ waiting: (stored + 1) * 12 - 1, failed: 0 });
    });

    afterEach(async () => {
      await database.close();
      await closeDisk?.();
    });
  });
}

const diskProblem = findSmallDiskProblem();
let closeDisk: (() => Promise<void>) | undefined;

describeTables("SQLite", {
  problem: diskProblem,
  message: /records\.store\.path.*records\.db is full; make room/,
  open: async () => {
    const disk = mountDisk(1024);
    closeDisk = async () => disk.remove();
    const path = join(disk.path, "records.db");
    return { database: await openSqliteDatabase({ path, busyTimeoutMs: 5000 }), disk };
  },
});

const postgresProblem = diskProblem ?? findPostgresProblem();
let server: PostgresServer;
let spaces = 0;
beforeAll(async () => {
  if (postgresProblem === undefined) server = await startPostgresServer();
}, 60_000);
afterAll(async () => {
  if (postgresProblem === undefined) await server.close();
});

describeTables("PostgreSQL", {
  problem: postgresProblem,
  message: /records\.store\.url.*the server's disk is full; make room/,
  open: async () => {
    const disk = mountDisk(16_384);
    const name = `small${spaces++}`;
    const folder = join(disk.path, "space");
    mkdirSync(folder);
    await server.ownFolder(folder);
    const url = await server.createDatabase(name, folder);
    closeDisk = async () => {
      await server.dropDatabase(name);
      disk.remove();
    };
    const limits = { maxConnections: 2, connectTimeoutMs: 2000, statementTimeoutMs: 10_000 };
    return { database: await openPostgresDatabase({ url, ...limits }), disk };
  },
});

const natsProblem = diskProblem ?? findNatsProblem();
const natsNote = natsProblem === undefined ? "" : ` [skipped: ${natsProblem}]`;
test.skipIf(natsProblem !== undefined)(
  `a JetStream whose disk is full is told with the fix, and has everything that was acknowledged when it is started with room${natsNote}`,
  async () => {
    const disk = mountDisk(2048);
    const nats = await startNatsServer({ storeFolder: disk.path });
    const open = () =>
      createJetStreamWorkQueue({
        ...{ url: nats.url, setting: "queue.store.url", prefix: "faults", replicas: 1 },
        ...{ connectTimeoutMs: 2000, timeoutMs: 2000, dedupMs: 120_000, leaseMs: 10_000 },
        epochMs: Date.now,
      });
    try {
      let queue: WorkQueue = await open();
      // The last one may be there or not: its sender was not told that it is.
      const { stored, error } = await fill((i) => queue.add([toWork(i)]));
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/no room left for the queue.*queue\.store\.url/),
      });
      await queue.close();
      disk.resize(ROOM_KIB);
      await nats.kill();
      await nats.restart();
      queue = await open();
      await queue.add([toWork(stored + 1)]);
      const taken = await queue.take({ max: 5000, waitMs: 2000, leaseMs: 60_000 });
      const ids = new Set(taken.map(({ id }) => id));
      const wanted = [...Array.from({ length: stored }, (_, i) => `w${i}`), `w${stored + 1}`];
      expect(wanted.filter((id) => !ids.has(id))).toEqual([]);
      await queue.close();
    } finally {
      await nats.close();
      disk.remove();
    }
  },
  60_000,
);

test.skipIf(diskProblem !== undefined)(
  `a job that the disk has no room for is 503 with the fix, is no job afterwards, and is taken when there is room${diskProblem === undefined ? "" : ` [skipped: ${diskProblem}]`}`,
  async () => {
    const disk = mountDisk(1024);
    const models = await createModelFolder();
    await models.write();
    const app = await startTestServer({
      "models.directory": models.path,
      "records.store.path": join(disk.path, "records.db"),
      "rateLimit.requests": "0",
    });
    try {
      const jobs = new URL("/v1/jobs", app.url);
      const submit = (rows: number) =>
        fetch(jobs, {
          method: "POST",
          headers: { "content-type": "application/x-ndjson" },
          body: Array.from({ length: rows }, (_, i) =>
            JSON.stringify({ text: `${i} ${randomText(2000).replaceAll(/\s/g, "-")}` }),
          ).join("\n"),
        });
      const list = async () => (await (await fetch(jobs)).json()) as { jobs: { state: string }[] };
      const refused = await submit(4000);
      const text = await refused.text();
      expect(refused.status, text).toBe(503);
      expect(text).toMatch(/records\.store\.path.*is full; make room/);
      disk.resize(ROOM_KIB);
      await expect.poll(async () => (await list()).jobs, { timeout: 10_000 }).toEqual([]);
      expect((await fetch(new URL("/health", app.url))).status).toBe(200);
      const taken = await submit(20);
      expect(taken.status, await taken.text()).toBe(201);
      const states = async () => (await list()).jobs.map(({ state }) => state);
      await expect.poll(states, { timeout: 20_000 }).toEqual(["completed"]);
    } finally {
      await app.drain();
      await models.remove();
      disk.remove();
    }
  },
  60_000,
);
