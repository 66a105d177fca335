import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MIGRATIONS } from "../../src/stores/records/migrations/list.ts";
import { inspectSchema, migrateDatabase } from "../../src/stores/records/migrations/migrate.ts";
import { openPostgresDatabase } from "../../src/stores/records/postgres/open-postgres-database.ts";
import type { RecordDatabase } from "../../src/stores/records/record-database.ts";
import { openSqliteDatabase } from "../../src/stores/records/sqlite/open-sqlite-database.ts";
import type { PostgresServer } from "../support/postgres-server.ts";
import { findPostgresProblem, startPostgresServer } from "../support/postgres-server.ts";

const NAMES = MIGRATIONS.map(({ name }) => name);

/** What both databases must do; `open` opens another handle on the same empty one. */
function describeDatabase(name: string, prepare: () => Promise<() => Promise<RecordDatabase>>) {
  describe(`record database: ${name}`, () => {
    let open: () => Promise<RecordDatabase>;
    const opened: RecordDatabase[] = [];
    const openNew = async () => {
      const database = await open();
      opened.push(database);
      return database;
    };
    beforeEach(async () => {
      open = await prepare();
    });
    afterEach(async () => {
      for (const database of opened.splice(0)) await database.close();
    });

    test("the schema is made once, however many processes start at once", async () => {
      const databases = await Promise.all([openNew(), openNew(), openNew()]);
      const applied = await Promise.all(databases.map((one) => migrateDatabase(one, Date.now)));
      expect(applied.flat()).toEqual(NAMES);
      const [first] = databases;
      if (first === undefined) throw new Error("none");
      expect(await inspectSchema(first)).toEqual({ applied: NAMES, missing: [] });
    });

    test("looking at the schema of an empty database writes nothing", async () => {
      const database = await openNew();
      expect(await inspectSchema(database)).toEqual({ applied: [], missing: NAMES });
      expect(await database.db.introspection.getTables()).toEqual([]);
    });

    test("a database of a newer program is refused and left as it is", async () => {
      const database = await openNew();
      const later = {
        name: "9999-later",
        apply: async () => {},
      };
      await migrateDatabase(database, Date.now, [...MIGRATIONS, later]);
      await expect(migrateDatabase(database, Date.now)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("newer program: it has 9999-later"),
      });
      await expect(inspectSchema(database)).rejects.toMatchObject({ code: "unavailable" });
    });

    test("a step that fails leaves nothing of itself or of the steps before it", async () => {
      const database = await openNew();
      const failing = {
        name: "9999-failing",
        apply: async (trx: Parameters<(typeof MIGRATIONS)[0]["apply"]>[0]) => {
          await trx.schema.createTable("half").addColumn("id", "text").execute();
          await sql`select * from nothing_of_this_name`.execute(trx);
        },
      };
      const steps = [...MIGRATIONS, failing];
      await expect(migrateDatabase(database, Date.now, steps)).rejects.toThrow();
      expect(await inspectSchema(database)).toEqual({ applied: [], missing: NAMES });
      expect(await database.db.introspection.getTables()).toEqual([]);
    });

    test("a transaction that throws leaves nothing", async () => {
      const database = await openNew();
      await migrateDatabase(database, Date.now);
      const failed = database.transact(async (trx) => {
        await trx.insertInto("sluice_migrations").values({ name: "x", applied_at_ms: 1 }).execute();
        throw new Error("no");
      });
      await expect(failed).rejects.toThrow("no");
      const rows = await database.db.selectFrom("sluice_migrations").select("name").execute();
      expect(rows.map((row) => row.name)).toEqual(NAMES);
    });

    test("transactions that meet are all done", async () => {
      const databases = await Promise.all([openNew(), openNew()]);
      const [first] = databases;
      if (first === undefined) throw new Error("none");
      await migrateDatabase(first, Date.now);
      const add = (database: RecordDatabase) =>
        database.transact(async (trx) => {
          await trx
            .updateTable("sluice_migrations")
            .set((eb) => ({ applied_at_ms: eb("applied_at_ms", "+", 1) }))
            .where("name", "=", NAMES[0] ?? "")
            .execute();
        });
      await migrateDatabase(first, Date.now);
      const at = async () =>
        (
          await first.db
            .selectFrom("sluice_migrations")
            .select("applied_at_ms")
            .where("name", "=", NAMES[0] ?? "")
            .executeTakeFirstOrThrow()
        ).applied_at_ms;
      const before = await at();
      await Promise.all(Array.from({ length: 50 }, (_, i) => add(databases[i % 2] ?? first)));
      expect(await at()).toBe(before + 50);
    });

    test("after it was closed it says so", async () => {
      const database = await openNew();
      await database.close();
      await database.close();
      const asked = sql`select 1`.execute(database.db);
      await expect(asked).rejects.toMatchObject({ code: "unavailable" });
    });
  });
}

const folders: string[] = [];
async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-records-"));
  folders.push(folder);
  return folder;
}
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const openFile = (path: string) => openSqliteDatabase({ path, busyTimeoutMs: 20_000 });

describeDatabase("SQLite", async () => {
  const path = join(await makeFolder(), "below", "records.db");
  return () => openFile(path);
});

describe("a file that cannot be the record database", () => {
  test("its owner alone may read it", async () => {
    const folder = await makeFolder();
    const path = join(folder, "new", "records.db");
    const database = await openFile(path);
    await migrateDatabase(database, Date.now);
    for (const name of [path, `${path}-wal`]) expect((await stat(name)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "new"))).mode & 0o777).toBe(0o700);
    await database.close();
  });

  test("something else than a database is refused and left as it is", async () => {
    const path = join(await makeFolder(), "notes.txt");
    const text = "These are notes, and no database at all. ".repeat(100);
    writeFileSync(path, text);
    await expect(openFile(path)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("is no SQLite database; name another file"),
    });
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test.each([
    ["whose pages were overwritten", (bytes: Buffer) => bytes.fill(0xa5, 4096, bytes.length - 512)],
    ["whose second half is gone", (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
    ["of which a few bytes are left", (bytes: Buffer) => bytes.subarray(0, 60)],
    ["whose first page was overwritten", (bytes: Buffer) => bytes.fill(0xa5, 100, 4096)],
    ["whose head another program wrote", (bytes: Buffer) => bytes.fill("PK", 0, 100)],
  ])("a database %s is refused with the way out, and left as it is", async (_what, damage) => {
    const path = join(await makeFolder(), "records.db");
    const database = await openFile(path);
    await migrateDatabase(database, Date.now);
    await database.close();
    const bytes = damage(await readFile(path));
    writeFileSync(path, bytes);
    await expect(openFile(path)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(
        /records\.store\.path.*(is damaged; restore a backup with 'sluice restore'|is no SQLite database; name another)/,
      ),
    });
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });

  test("a folder, and a path below a file, are refused", async () => {
    const folder = await makeFolder();
    mkdirSync(join(folder, "folder.db"));
    writeFileSync(join(folder, "file"), "");
    for (const path of [join(folder, "folder.db"), join(folder, "file", "records.db")]) {
      await expect(openFile(path)).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("cannot be made or written"),
      });
    }
  });

  test("a full disk is named, nothing is half written, and room helps", async () => {
    const path = join(await makeFolder(), "records.db");
    const database = await openFile(path);
    await migrateDatabase(database, Date.now);
    // What SQLite does on a full disk, without filling one.
    const { rows } = await sql<{ page_count: number }>`PRAGMA page_count`.execute(database.db);
    const pages = rows[0]?.page_count ?? 0;
    await sql.raw(`PRAGMA max_page_count = ${pages + 8}`).execute(database.db);
    const fill = database.transact(async (trx) => {
      for (let i = 0; i < 50; i++) {
        const name = `${"x".repeat(4000)}${i}`;
        await trx.insertInto("sluice_migrations").values({ name, applied_at_ms: 1 }).execute();
      }
    });
    await expect(fill).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("is full; make room"),
    });
    expect(await inspectSchema(database)).toEqual({ applied: NAMES, missing: [] });
    await sql`PRAGMA max_page_count = 100000`.execute(database.db);
    await database.db
      .insertInto("sluice_migrations")
      .values({ name: "x", applied_at_ms: 1 })
      .execute();
    await database.close();
  });
});

const problem = findPostgresProblem();
describe.skipIf(problem !== undefined)(`on PostgreSQL${problem ? ` (${problem})` : ""}`, () => {
  let server: PostgresServer;
  let count = 0;
  const options = { maxConnections: 5, connectTimeoutMs: 2000, statementTimeoutMs: 5000 };
  beforeAll(async () => {
    server = await startPostgresServer();
  });
  afterAll(() => server.close());

  describeDatabase("PostgreSQL", async () => {
    const url = await server.createDatabase(`db${count++}`);
    return () => openPostgresDatabase({ url, ...options });
  });

  test.each([
    [
      "a wrong password",
      (url: URL) => Object.assign(url, { password: "wrong" }),
      "password is wrong",
    ],
    ["no such database", (url: URL) => Object.assign(url, { pathname: "/none" }), "createdb"],
    ["nobody there", (url: URL) => Object.assign(url, { port: "1" }), "nothing listens"],
    ["no such host", (url: URL) => Object.assign(url, { hostname: "host.invalid" }), "no host"],
  ])("%s is named, and no password", async (_what, change, reason) => {
    const url = change(new URL(server.url)).href;
    const opening = openPostgresDatabase({ url, ...options });
    const error = await opening.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(reason),
    });
    expect(String(error)).not.toMatch(/not-a-secret|wrong@/);
  });

  test("a server that only reads says which one to name, and nothing is there of what was tried", async () => {
    const url = await server.createDatabase("readonly");
    const readOnly = `${url}?options=-c%20default_transaction_read_only%3Don`;
    const database = await openPostgresDatabase({ url: readOnly, ...options });
    await expect(migrateDatabase(database, Date.now)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/records\.store\.url.*only reads; name the primary one/),
    });
    expect(await inspectSchema(database)).toEqual({ applied: [], missing: NAMES });
    await database.close();
  });

  test("a server that is killed is unavailable at once, and used again when it is back", async () => {
    const url = await server.createDatabase("killed");
    const database = await openPostgresDatabase({ url, ...options });
    await migrateDatabase(database, Date.now);
    await server.kill();
    await expect(inspectSchema(database)).rejects.toMatchObject({ code: "unavailable" });
    await server.restart();
    await expect
      .poll(() => inspectSchema(database), { timeout: 10_000 })
      .toEqual({ applied: NAMES, missing: [] });
    await database.close();
  });

  test("a statement that takes too long is given up", async () => {
    const url = await server.createDatabase("slow");
    const database = await openPostgresDatabase({ url, ...options, statementTimeoutMs: 200 });
    await expect(sql`select pg_sleep(5)`.execute(database.db)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("statementTimeoutMs"),
    });
    await database.close();
  });
});
