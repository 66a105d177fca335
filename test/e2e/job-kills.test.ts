import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, test } from "vitest";
import { createRandom } from "../support/random.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { startServerProcess } from "../support/server-process.ts";

const KILLS = 12;
const ROWS = 3000;
const LIMIT_MS = 150_000;

let folder: string | undefined;
let server: ServerProcess | undefined;
afterAll(async () => {
  await server?.stop("SIGKILL").catch(() => {});
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test(
  "a job whose server is killed again and again has every row once",
  async () => {
    const seed = Date.now() % 1_000_000;
    const random = createRandom(seed);
    folder = await mkdtemp(join(tmpdir(), "sluice-kills-"));
    const path = join(folder, "records.db");
    const start = () =>
      startServerProcess([
        "--models.directory=models",
        "--records.store.driver=sqlite",
        `--records.store.path=${path}`,
        "--jobs.chunkRows=20",
        "--jobs.leaseMs=1000",
        "--jobs.stallMs=2000",
        "--jobs.sweepMs=500",
      ]);
    server = await start();
    const rows = Array.from({ length: ROWS }, (_, i) => ({
      id: `row ${i}`,
      text: `This is text ${i}. ${"It goes on and on. ".repeat(i % 6)}`,
    }));
    const submitted = await fetch(`${server.url}/v1/jobs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model_version: "2.0.0", rows }),
    });
    expect(submitted.status).toBe(201);
    const { id } = (await submitted.json()) as { id: string };

    const progress: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      await new Promise((resolve) => setTimeout(resolve, 200 + random() * 700));
      await server.stop("SIGKILL");
      // Whenever it died, the file is whole.
      const database = new DatabaseSync(path);
      expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      const job = database.prepare("select done_rows, state from jobs").get();
      progress.push(Number(job?.["done_rows"]));
      database.close();
      server = await start();
    }
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));

    const { url } = server;
    const look = async () => {
      const found = await fetch(`${url}/v1/jobs/${id}`);
      return (await found.json()) as { state: string; rows: object };
    };
    await expect.poll(async () => (await look()).state, { timeout: 60_000 }).toBe("completed");
    expect((await look()).rows).toEqual({ total: ROWS, done: ROWS, failed: 0 });
    const results = await (await fetch(`${url}/v1/jobs/${id}/results`)).text();
    const lines = results
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(
      lines.map(({ id: name }) => name),
      `seed ${seed}`,
    ).toEqual(rows.map((row) => row.id));
    expect(lines.every(({ predictions }) => predictions.length === 1)).toBe(true);
    console.info(`seed ${seed}: ${KILLS} kills at ${progress.join(", ")} of ${ROWS} rows`);
  },
  LIMIT_MS,
);
