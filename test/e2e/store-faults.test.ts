import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
import { startOldNats, startOldPostgres, startOldRedis } from "../support/old-servers.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";
import { findRedisProblem, startRedisServer } from "../support/redis-server.ts";
import { startServerProcess } from "../support/server-process.ts";
import { findSmallDiskProblem, mountDisk } from "../support/small-disk.ts";

// `sluice serve` with a store that cannot be used: one message with the fix, an exit code, and no stack trace.

const MAIN = fileURLToPath(new URL("../../bin/sluice.mjs", import.meta.url));
/** In the addresses of these tests; no output may have it. */
const SECRET = "hunter2";

interface Prepared {
  readonly flags: readonly string[];
  readonly close: () => Promise<void>;
}

interface Fault {
  readonly name: string;
  readonly skip?: string | undefined;
  readonly prepare: () => Promise<Prepared>;
  readonly message: RegExp;
}

let models: ModelFolder;
let folder: string;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write();
  folder = await mkdtemp(join(tmpdir(), "sluice-faults-"));
});
afterAll(async () => {
  await models.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the program to its end. Not by `spawnSync`: some of the servers that it asks are in this process. */
async function run(flags: readonly string[]) {
  const words = [MAIN, "serve", "--server.port=0", "--models.directory", models.path, ...flags];
  const child = spawn(process.execPath, words, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [status] = (await once(child, "close")) as [number | null];
  return { status, output };
}

const nothing = async () => {};
const recordsAt = (path: string) => ["--jobs.enabled=on", `--records.store.path=${path}`];
const recordsIn = (url: string) => [
  ...["--jobs.enabled=on", "--records.store.driver=postgres"],
  `--records.store.url=${url}`,
];
const queueIn = (url: string) => [
  ...recordsAt(join(folder, "queue-records.db")),
  ...["--queue.store.driver=nats", `--queue.store.url=${url}`],
];
const redisFor = (part: "cache" | "rateLimit", url: string) => [
  `--${part}.store.driver=redis`,
  `--${part}.store.url=${url}`,
];
const withSecret = (url: string) => Object.assign(new URL(url), { password: SECRET }).href;

async function damageRecords(damage: (bytes: Buffer) => Buffer): Promise<Prepared> {
  const path = join(await mkdtemp(join(folder, "damaged-")), "records.db");
  const database = await openSqliteDatabase({ path, busyTimeoutMs: 1000 });
  await migrateDatabase(database, Date.now);
  await database.close();
  const bytes = damage(await readFile(path));
  await writeFile(path, bytes);
  return {
    flags: recordsAt(path),
    close: async () => expect((await readFile(path)).equals(bytes)).toBe(true),
  };
}

const disk = findSmallDiskProblem();
const FAULTS: readonly Fault[] = [
  {
    name: "records in a file that is no database",
    prepare: async () => {
      const path = join(folder, "notes.txt");
      await writeFile(path, "These are notes. ".repeat(500));
      return { flags: recordsAt(path), close: nothing };
    },
    message: /records\.store\.path.*notes\.txt is no SQLite database; name another file/,
  },
  {
    name: "records with pages that were overwritten",
    prepare: () => damageRecords((bytes) => bytes.fill(0xa5, 4096, bytes.length - 512)),
    message: /records\.store\.path.*is damaged; restore a backup with 'sluice restore'/,
  },
  {
    name: "records whose second half is gone",
    prepare: () => damageRecords((bytes) => bytes.subarray(0, bytes.length / 2)),
    message: /records\.store\.path.*is damaged; restore a backup/,
  },
  {
    name: "records in a folder that can only be read",
    skip: disk,
    prepare: async () => {
      const small = mountDisk(1024);
      small.makeReadOnly();
      const close = async () => {
        expect(readdirSync(small.path)).toEqual([]);
        small.remove();
      };
      return { flags: recordsAt(join(small.path, "new", "records.db")), close };
    },
    message: /records\.store\.path.*cannot be made or written.*give this user the right/,
  },
  {
    name: "records on a full disk",
    skip: disk,
    prepare: async () => {
      const small = mountDisk(64);
      writeFileSync(join(small.path, "filler"), Buffer.alloc(60 * 1024));
      const path = join(small.path, "records.db");
      const close = async () => {
        small.resize(8192);
        // What the start that failed has left is no obstacle.
        const words = ["--models.directory", models.path, ...recordsAt(path)];
        const server = await startServerProcess(words);
        const answer = await fetch(new URL("/v1/jobs", server.url));
        expect(answer.status).toBe(200);
        expect(await server.stop("SIGTERM")).toBe(0);
        small.remove();
      };
      return { flags: recordsAt(path), close };
    },
    message: /records\.store\.path.*is full; make room/,
  },
  {
    name: "records in PostgreSQL with a wrong password",
    skip: findPostgresProblem(),
    prepare: async () => {
      const server = await startPostgresServer();
      return { flags: recordsIn(withSecret(server.url)), close: server.close };
    },
    message: /records\.store\.url.*the password is wrong; correct it/,
  },
  {
    name: "records in a PostgreSQL that is too old",
    prepare: async () => {
      const old = await startOldPostgres("120017");
      const url = `postgres://sluice:${SECRET}@127.0.0.1:${old.port}/sluice?sslmode=disable`;
      return { flags: recordsIn(url), close: old.close };
    },
    message: /records\.store\.url is of version 12; 13 or later is needed/,
  },
  {
    name: "a cache in Redis with a wrong password",
    skip: findRedisProblem(),
    prepare: async () => {
      const server = await startRedisServer();
      return { flags: redisFor("cache", withSecret(server.url)), close: server.close };
    },
    message: /cache\.store\.url refuses the user or password; correct them/,
  },
  {
    name: "counters in a Redis that is too old",
    prepare: async () => {
      const old = await startOldRedis("5.0.14");
      const url = `redis://:${SECRET}@127.0.0.1:${old.port}`;
      return { flags: redisFor("rateLimit", url), close: old.close };
    },
    message: /rateLimit\.store\.url has version 5\.0\.14; it needs 6 or newer/,
  },
  {
    name: "a queue in NATS with a wrong password",
    skip: findNatsProblem(),
    prepare: async () => {
      const server = await startNatsServer();
      return { flags: queueIn(withSecret(server.url)), close: server.close };
    },
    message: /refuses the user; set queue\.store\.url to the right user and password/,
  },
  {
    name: "a queue in a NATS that is too old",
    prepare: async () => {
      const old = await startOldNats("2.8.4");
      return { flags: queueIn(`nats://user:${SECRET}@127.0.0.1:${old.port}`), close: old.close };
    },
    message: /queue\.store\.url.*version 2\.8; take 2\.9 or later/,
  },
];

describe("a start with a store that cannot be used ends with the fix and no stack trace", () => {
  for (const { name, skip, prepare, message } of FAULTS) {
    const note = skip === undefined ? "" : ` [skipped: ${skip}]`;
    test.skipIf(skip !== undefined)(
      `${name}${note}`,
      async () => {
        const { flags, close } = await prepare();
        try {
          const { status, output } = await run(flags);
          const told = output.split("\n").filter((line) => line.startsWith("sluice: "));
          expect(told, output).toHaveLength(1);
          expect(told[0]).toMatch(message);
          expect(status).toBe(1);
          expect(output).not.toMatch(/^\s+at .+:\d+:\d+|this is a bug/m);
          expect(output).not.toContain(SECRET);
          expect(output).not.toContain("not-a-secret");
        } finally {
          await close();
        }
      },
      60_000,
    );
  }
});

describe("vectors, which are opened when somebody needs them", () => {
  test.each([
    ["a file that is no database", "no SQLite database; choose another file", "notes.db"],
    ["a folder below a file", "cannot be made or written; check the rights", "notes.db/vectors.db"],
  ])("%s is 503 with the fix, and the server goes on", async (_name, fix, name) => {
    const home = await mkdtemp(join(folder, "vectors-"));
    await mkdir(home, { recursive: true });
    await writeFile(join(home, "notes.db"), "These are notes. ".repeat(500));
    const path = join(home, name);
    const server = await startServerProcess([
      ...["--models.directory", models.path],
      `--vectors.store.path=${path}`,
    ]);
    const post = (address: string, body: object) =>
      fetch(new URL(address, server.url), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const answer = await post("/v1/collections", { name: "c", dimensions: 2, metric: "l2" });
    const text = await answer.text();
    expect(answer.status, text).toBe(503);
    expect(text).toContain("vectors.store.path");
    expect(text).toContain(fix);
    expect((await post("/classify", { text: "fine" })).status).toBe(200);
    expect(await server.stop("SIGTERM")).toBe(0);
    expect(server.output()).not.toMatch(/^\s+at .+:\d+:\d+/m);
  });
});
