import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createJetStreamWorkQueue } from "../../src/stores/queues/jetstream.ts";
import { createJobChunkStore } from "../../src/stores/records/job-chunk-store.ts";
import { createJobStore } from "../../src/stores/records/job-store.ts";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import { createPgvectorStore } from "../../src/stores/vectors/pgvector.ts";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite-vec.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
import { startOldNats, startOldPostgres } from "../support/old-servers.ts";
import { startPgliteServer } from "../support/pglite-server.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import type { SmallDisk } from "../support/small-disk.ts";
import { findSmallDiskProblem, mountDisk } from "../support/small-disk.ts";

// What happens to stores when the world below them fails: a clear error with the fix, and nothing half written. What Redis
// does when it is full, wrong or old is in redis.test.ts; queues and outboxes on full disks are in full-disk.test.ts; damaged files are also in the conformance of their drivers.

const COLLECTION = { name: "c", dimensions: 64, metric: "l2", origin: "test" } as const;
const ITEM = {
  vector: new Float32Array(64).fill(1),
  text: "x".repeat(4000),
  label: undefined,
  metadata: {},
};
const JOB = {
  owner: "owner",
  request: {
    ...{ model: undefined, version: undefined, webhookUrl: undefined },
    options: { topK: undefined, functionToApply: undefined, abstainBelow: undefined },
  },
  idempotencyKey: undefined,
  createdAtMs: 0,
  expiresAtMs: 1e15,
};

const noEvents = async () => {};

/** Adds chunks to a job until the store takes no more. */
async function fillWithChunks(database: RecordDatabase, id: string, most: number) {
  const chunks = createJobChunkStore(database);
  const jobs = createJobStore(database, noEvents);
  await jobs.create({ id, ...JOB });
  let stored = 0;
  try {
    for (; stored < most; stored++) {
      const chunk = { index: stored, firstRow: stored, rows: 1, input: randomText(20_000) };
      await chunks.add(id, chunk);
    }
  } catch (error) {
    return { chunks, jobs, stored, error };
  }
  return { chunks, jobs, stored, error: undefined };
}

/** Text that cannot be compressed, so that a store which tries needs the room. */
function randomText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(33 + Math.random() * 90)).join("");
}

const diskProblem = findSmallDiskProblem();
describe.skipIf(diskProblem !== undefined)(
  `on a small disk${diskProblem ? ` (${diskProblem})` : ""}`,
  () => {
    let disk: SmallDisk;
    const open = () =>
      openSqliteDatabase({ path: join(disk.path, "records.db"), busyTimeoutMs: 5000 });
    const openVectors = () => createSqliteVectorStore({ path: join(disk.path, "vectors.db") });
    afterEach(() => disk.remove());

    test("records: when it is full that is said, what was acknowledged is whole, and room helps", async () => {
      disk = mountDisk(2048);
      const database = await open();
      await migrateDatabase(database, Date.now);
      const { chunks, jobs, stored, error } = await fillWithChunks(database, "job_1", 1000);
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/records\.db is full; make room/),
      });
      expect(stored).toBeGreaterThan(5);
      expect(await jobs.find("job_1")).toMatchObject({ chunks: stored, totalRows: stored });
      disk.resize(8192);
      const next = { index: stored, firstRow: stored, rows: 1, input: "more" };
      expect(await chunks.add("job_1", next)).toBe(true);
      await database.close();
      // Opening it checks every page.
      const again = await open();
      expect(await createJobStore(again, noEvents).find("job_1")).toMatchObject({
        chunks: stored + 1,
      });
      await again.close();
    });

    test("vectors: the same, and no part of the call that failed is there", async () => {
      disk = mountDisk(2048);
      const store = await openVectors();
      await store.create(COLLECTION);
      let calls = 0;
      const add = () =>
        store.upsert(
          "c",
          [0, 1, 2, 3].map((i) => ({ id: `${calls}-${i}`, ...ITEM })),
        );
      const fill = async () => {
        for (; calls < 1000; calls++) await add();
      };
      await expect(fill()).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("the disk is full"),
      });
      expect(calls).toBeGreaterThan(5);
      expect(await store.list()).toMatchObject([{ items: calls * 4 }]);
      disk.resize(8192);
      await add();
      await store.close();
      const again = await openVectors();
      expect(await again.list()).toMatchObject([{ items: (calls + 1) * 4 }]);
      await again.close();
    });

    test("one that can only be read refuses new files and old ones, and changes nothing", async () => {
      disk = mountDisk(4096);
      const database = await open();
      await migrateDatabase(database, Date.now);
      await database.close();
      const vectors = await openVectors();
      await vectors.create(COLLECTION);
      await vectors.close();
      disk.makeReadOnly();
      const bytes = await readFile(join(disk.path, "records.db"));
      await expect(open()).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/records\.db.*(may not be|cannot be made or) written/),
      });
      await expect(openVectors()).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(
          /vectors\.store\.path.*(read-only|cannot be (made|written|opened))/,
        ),
      });
      const path = join(disk.path, "new", "records.db");
      await expect(openSqliteDatabase({ path, busyTimeoutMs: 100 })).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("cannot be made or written"),
      });
      await expect(
        createSqliteVectorStore({ path: join(disk.path, "new", "vectors.db") }),
      ).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("vectors.store.path"),
      });
      expect((await readFile(join(disk.path, "records.db"))).equals(bytes)).toBe(true);
      disk.makeWritable();
      await (await open()).close();
    });
  },
);

describe("a damaged file of vectors", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sluice-faults-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each([
    ["pages overwritten", (bytes: Buffer) => bytes.fill(0xa5, 4096, bytes.length - 512)],
    ["the second half gone", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["a head of another program", (bytes: Buffer) => bytes.fill("PK", 0, 100)],
  ])("%s: refused with the fix, and left as it is", async (_what, damage) => {
    const path = join(folder, "vectors.db");
    rmSync(path, { force: true });
    const store = await createSqliteVectorStore({ path });
    await store.create(COLLECTION);
    const items = Array.from({ length: 50 }, (_, i) => ({ id: `i${i}`, ...ITEM }));
    await store.upsert("c", items);
    await store.close();
    const bytes = damage(await readFile(path));
    await writeFile(path, bytes);
    await expect(createSqliteVectorStore({ path })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/corrupt; restore it|no SQLite database/),
    });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

const postgresProblem = findPostgresProblem();
describe.skipIf(postgresProblem !== undefined)(
  `PostgreSQL${postgresProblem ? ` (${postgresProblem})` : ""}`,
  () => {
    let server: PostgresServer;
    const limits = { maxConnections: 2, connectTimeoutMs: 2000, statementTimeoutMs: 5000 };
    beforeAll(async () => {
      server = await startPostgresServer();
    });
    afterAll(() => server.close());

    test.skipIf(diskProblem !== undefined)(
      "a full disk is said, what was acknowledged is whole, and room helps",
      async () => {
        const disk = mountDisk(16_384);
        try {
          const folder = join(disk.path, "space");
          mkdirSync(folder);
          await server.ownFolder(folder);
          const url = await server.createDatabase("small", folder);
          const database = await openPostgresDatabase({ url, ...limits });
          await migrateDatabase(database, Date.now);
          const { chunks, jobs, stored, error } = await fillWithChunks(database, "job_1", 2000);
          expect(error).toMatchObject({
            code: "unavailable",
            message: expect.stringContaining("the server's disk is full; make room"),
          });
          expect(await jobs.find("job_1")).toMatchObject({ chunks: stored, totalRows: stored });
          disk.resize(65_536);
          const next = { index: stored, firstRow: stored, rows: 1, input: "more" };
          expect(await chunks.add("job_1", next)).toBe(true);
          expect(await jobs.find("job_1")).toMatchObject({ chunks: stored + 1 });
          await database.close();
          await server.dropDatabase("small");
        } finally {
          disk.remove();
        }
      },
      60_000,
    );

    test("a wrong password for vectors is told, and no password", async () => {
      const url = Object.assign(new URL(server.url), { password: "wrong" }).href;
      const error = await createPgvectorStore({ url, ...limits }).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("server of vectors.store.url refuses the password"),
      });
      expect(String(error)).not.toMatch(/wrong|not-a-secret/);
    });

    test("one without pgvector is told what to install", async () => {
      const url = await server.createDatabase("plain");
      const opening = createPgvectorStore({ url, ...limits });
      const { code, message } = await opening.then(
        async (store) => {
          await store.close();
          return { code: "it has pgvector", message: "" };
        },
        (thrown: { code: string; message: string }) => thrown,
      );
      if (code === "it has pgvector") return;
      expect(code).toBe("unavailable");
      expect(message).toContain("postgresql-NN-pgvector");
    });
  },
);

test("a PostgreSQL server that is too old is named with the version that will do", async () => {
  const old = await startOldPostgres("120017");
  const url = `postgres://sluice:hush@127.0.0.1:${old.port}/sluice?sslmode=disable`;
  const limits = { maxConnections: 1, connectTimeoutMs: 2000, statementTimeoutMs: 2000 };
  await expect(openPostgresDatabase({ url, ...limits })).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/version 12; 13 or later/),
  });
  await old.close();
});

test("a pgvector that is too old is named with the way to update it", async () => {
  const server = await startPgliteServer();
  const limits = { maxConnections: 1, connectTimeoutMs: 5000, statementTimeoutMs: 5000 };
  const open = () => createPgvectorStore({ url: server.url, ...limits });
  await (await open()).close();
  const { default: pg } = await import("pg");
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query("UPDATE pg_extension SET extversion = '0.4.4' WHERE extname = 'vector'");
  await client.end();
  await expect(open()).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/pgvector 0\.4\.4; install 0\.5 or later.*ALTER EXTENSION/),
  });
  await server.stop();
}, 60_000);

const QUEUE = {
  ...{ setting: "queue.store.url", prefix: "faults", replicas: 1, epochMs: Date.now },
  ...{ connectTimeoutMs: 2000, timeoutMs: 3000, dedupMs: 120_000, leaseMs: 10_000 },
};

test("a server of NATS that is too old is named with the version that will do", async () => {
  const old = await startOldNats("2.8.4");
  const opening = createJetStreamWorkQueue({ url: `nats://127.0.0.1:${old.port}`, ...QUEUE });
  await expect(opening).rejects.toMatchObject({
    code: "unavailable",
    message: expect.stringMatching(/queue\.store\.url.*version 2\.8; take 2\.9 or later/),
  });
  await old.close();
});

const natsProblem = findNatsProblem();
test.skipIf(natsProblem !== undefined)(
  `JetStream without room says so, what was acknowledged is handed out, and room helps${natsProblem ? ` (${natsProblem})` : ""}`,
  async () => {
    const server = await startNatsServer({ maxFileStore: "1MB" });
    const queue = await createJetStreamWorkQueue({ url: server.url, ...QUEUE });
    const toWork = (i: number) => ({
      id: `w${i}`,
      lane: "normal" as const,
      body: randomText(20_000),
    });
    let stored = 0;
    const fill = async () => {
      for (; stored < 1000; stored++) await queue.add([toWork(stored)]);
    };
    await expect(fill()).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/no room left for the queue.*queue\.store\.url/),
    });
    expect(stored).toBeGreaterThan(5);
    const taken = await queue.take({ max: 1000, waitMs: 1000, leaseMs: 10_000 });
    expect(taken.map(({ id }) => id)).toEqual(Array.from({ length: stored }, (_, i) => `w${i}`));
    for (const work of taken) await work.done();
    await expect
      .poll(() =>
        queue.add([toWork(stored)]).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await queue.close();
    await server.close();
  },
  30_000,
);

test.skipIf(natsProblem !== undefined)(
  `JetStream lets the right token in; a wrong one is told, and not what it was${natsProblem ? ` (${natsProblem})` : ""}`,
  async () => {
    const server = await startNatsServer({ token: "right-token" });
    const open = (url: string) => createJetStreamWorkQueue({ url, ...QUEUE });
    try {
      const queue = await open(server.url);
      expect(await queue.count()).toEqual({ waiting: 0, leased: 0, dead: 0 });
      await queue.close();
      const opening = open(server.url.replace("right-token", "hunter2"));
      const error = await opening.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({
        code: "unavailable",
        message: expect.stringMatching(/refuses the user.*queue\.store\.url/),
      });
      expect(String(error)).not.toContain("hunter2");
    } finally {
      await server.close();
    }
  },
);
