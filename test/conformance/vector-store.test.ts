import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite-vec.ts";
import { describeVectorStore, toVectorItem } from "./vector-store.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-vectors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = () => {
  files += 1;
  return join(folder, `made-${files}`, "vectors.db");
};

describeVectorStore("sqlite-vec", async () => {
  const path = newPath();
  const store = await createSqliteVectorStore({ path });
  let latest = store;
  return {
    store,
    reopen: async () => {
      await latest.close();
      latest = await createSqliteVectorStore({ path });
      return latest;
    },
    dispose: () => latest.close(),
  };
});

describe("sqlite-vec", () => {
  test("a file that is no database is unavailable and stays as it is", async () => {
    const path = join(folder, "text.db");
    writeFileSync(path, "This is no database. ".repeat(500));
    await expect(createSqliteVectorStore({ path })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("vectors.store.path"),
    });
  });

  test("a path that is a folder is unavailable", async () => {
    await expect(createSqliteVectorStore({ path: folder })).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  test.runIf(process.getuid?.() !== 0)(
    "[needs a user who is not root] a read-only file is unavailable",
    async () => {
      const path = newPath();
      await (await createSqliteVectorStore({ path })).close();
      chmodSync(path, 0o400);
      await expect(createSqliteVectorStore({ path })).rejects.toMatchObject({
        code: "unavailable",
      });
    },
  );

  test("a file that another process holds is unavailable when the wait is over", async () => {
    const path = newPath();
    const store = await createSqliteVectorStore({ path, busyTimeoutMs: 50 });
    const { DatabaseSync } = await import("node:sqlite");
    const other = new DatabaseSync(path);
    other.exec("BEGIN IMMEDIATE");
    const collection = { name: "a", dimensions: 1, metric: "l2", origin: "test" } as const;
    await expect(store.create(collection)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("locked"),
    });
    other.exec("ROLLBACK");
    other.close();
    await store.create(collection);
    await store.close();
  });

  test("vectors whose squares leave 32 bits are still compared", async () => {
    const store = await createSqliteVectorStore({ path: newPath() });
    await store.create({ name: "big", dimensions: 2, metric: "cosine", origin: "test" });
    const items = [toVectorItem("along", [1e30, 1e30]), toVectorItem("across", [1e30, -1e30])];
    await store.upsert("big", items);
    const found = await store.search("big", { vector: Float32Array.of(1, 1), k: 2 });
    expect(found.map(({ id }) => id)).toEqual(["along", "across"]);
    expect(found[0]?.score).toBeCloseTo(1);
    await store.close();
  });

  test("30 kills lose nothing that was acknowledged and show no half of a batch", async () => {
    const seed = Date.now() % 100_000;
    console.log(`seed ${seed}`);
    const path = newPath();
    let random = seed;
    let next = 0;
    for (let kill = 0; kill < 30; kill++) {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      const acknowledged = await writeUntilKilled(path, next, 5 + (random % 40));
      next = Math.max(next, acknowledged + 1) + 1;
    }
    const store = await createSqliteVectorStore({ path });
    const counts = new Map<number, number>();
    let after = "";
    for (;;) {
      const page = await store.page("kept", { after, limit: 1000 });
      for (const { metadata } of page) {
        const batch = Number(metadata["batch"]);
        counts.set(batch, (counts.get(batch) ?? 0) + 1);
      }
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
    await store.close();
    expect(written.size).toBeGreaterThan(30);
    for (const batch of written) expect(counts.get(batch)).toBe(5);
    for (const count of counts.values()) expect(count).toBe(5);
  }, 60_000);
});

const WRITER = fileURLToPath(new URL("./vector-store-writer.ts", import.meta.url));
const written = new Set<number>();

/** @returns the last batch that was acknowledged before the writer was killed, or the one before `from` */
async function writeUntilKilled(path: string, from: number, afterMs: number): Promise<number> {
  const writer = spawn(process.execPath, [WRITER, path, String(from)], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let output = "";
  let isTimed = false;
  writer.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (isTimed) return;
    isTimed = true;
    setTimeout(() => writer.kill("SIGKILL"), afterMs);
  });
  await new Promise((resolve) => writer.on("close", resolve));
  const batches = output.split("\n").slice(0, -1).map(Number);
  for (const batch of batches) written.add(batch);
  return batches.at(-1) ?? from - 1;
}
