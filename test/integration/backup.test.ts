import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import { backupSqlite, restoreSqlite } from "../../src/stores/sqlite/backup-sqlite.ts";
import { createSqliteVectorStore } from "../../src/stores/vectors/sqlite-vec.ts";

const RECORDS = { name: "record database", table: "sluice_migrations" };
const VECTORS = { name: "file of vectors", table: "collections" };

let folder: string;
let path: string;
let copy: string;
let database: RecordDatabase;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-backup-"));
  path = join(folder, "records.db");
  copy = join(folder, "copy.db");
  database = await open();
  await migrateDatabase(database, Date.now);
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const open = () => openSqliteDatabase({ path, busyTimeoutMs: 10_000 });
const write = (name: string) =>
  database.db.insertInto("sluice_migrations").values({ name, applied_at_ms: 1 }).execute();
const readNames = async () => {
  const rows = await database.db.selectFrom("sluice_migrations").select("name").execute();
  return rows.map(({ name }) => name).filter((name) => name.startsWith("row"));
};

test("a backup that is made while rows are written holds every row up to one moment", async () => {
  let written = 0;
  let stopped = false;
  const writer = (async () => {
    while (!stopped) await write(`row ${String(written++).padStart(6, "0")}`);
  })();
  while (written < 50) await new Promise((resolve) => setTimeout(resolve, 5));
  const atLeast = written - 1;
  expect(backupSqlite(path, copy, RECORDS)).toBeGreaterThan(0);
  stopped = true;
  await writer;
  await database.close();
  restoreSqlite(copy, path, true, RECORDS);
  database = await open();
  const names = (await readNames()).toSorted();
  expect(names.length).toBeGreaterThanOrEqual(atLeast);
  expect(names).toEqual(names.map((_, i) => `row ${String(i).padStart(6, "0")}`));
});

test("what is there is not overwritten, unless somebody says so", async () => {
  await write("row of before");
  backupSqlite(path, copy, RECORDS);
  expect(() => backupSqlite(path, copy, RECORDS)).toThrow(/exists already/);
  await write("row of after");
  await database.close();
  expect(() => restoreSqlite(copy, path, false, RECORDS)).toThrow(/--force/);
  restoreSqlite(copy, path, true, RECORDS);
  database = await open();
  expect(await readNames()).toEqual(["row of before"]);
});

test("a database that a server has open is not replaced", async () => {
  backupSqlite(path, copy, RECORDS);
  await write("row that must stay");
  expect(() => restoreSqlite(copy, path, true, RECORDS)).toThrow(/is in use; stop the servers/);
  expect(await readNames()).toEqual(["row that must stay"]);
});

test("a file that is no sound backup is refused, and nothing is touched", async () => {
  await write("row");
  backupSqlite(path, copy, RECORDS);
  const bytes = await readFile(copy);
  bytes.fill(0x5a, 4096, 4096 * 3);
  await writeFile(copy, bytes);
  await database.close();
  expect(() => restoreSqlite(copy, path, true, RECORDS)).toThrow();
  expect(() => restoreSqlite(join(folder, "none.db"), path, true, RECORDS)).toThrow(/no backup/);
  const other = join(folder, "other.db");
  await writeFile(other, "");
  expect(() => restoreSqlite(other, path, true, RECORDS)).toThrow(/no record database of Sluice/);
  database = await open();
  expect(await readNames()).toEqual(["row"]);
});

test("a file of vectors comes back as it was, and is not taken for a record database", async () => {
  const file = join(folder, "vectors.db");
  const item = { text: "a text", label: "a", metadata: {}, vector: Float32Array.of(1, 2, 3) };
  const store = await createSqliteVectorStore({ path: file });
  await store.create({ name: "c", dimensions: 3, metric: "l2", origin: "test" });
  await store.upsert("c", [{ id: "before", ...item }]);
  expect(() => backupSqlite(file, copy, RECORDS)).toThrow(/no record database/);
  expect(backupSqlite(file, copy, VECTORS)).toBeGreaterThan(0);
  await store.upsert("c", [{ id: "after", ...item }]);
  await store.close();
  restoreSqlite(copy, file, true, VECTORS);
  const restored = await createSqliteVectorStore({ path: file });
  const items = await restored.page("c", { limit: 10 });
  const found = await restored.search("c", { vector: item.vector, k: 2 });
  await restored.close();
  expect(items.map(({ id }) => id)).toEqual(["before"]);
  expect(found).toMatchObject([{ id: "before", score: 0 }]);
});
