import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SluiceError } from "../../core/errors.ts";

/** A kind of database that this program keeps in a file. */
export interface SqliteKind {
  /** As people call it. */
  readonly name: string;
  /** A table that every file of this kind has, and no other. */
  readonly table: string;
}

/** What is beside the file of a database while it is open. */
const COMPANIONS = ["-wal", "-shm", "-journal"];
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Copies the database at `from` as it is at one moment, while other processes read and write it. The copy is complete and
 * checked before it gets its name.
 *
 * @returns its size in bytes
 * @throws SluiceError `unavailable` with the fix
 */
export function backupSqlite(from: string, to: string, kind: SqliteKind): number {
  const source = resolve(from);
  const target = resolve(to);
  assertExists(source, kind.name);
  if (existsSync(target)) throw refuse(`${target} exists already; name another file`);
  const partial = `${target}.partial`;
  try {
    makeEmpty(partial);
    const database = new DatabaseSync(source, { timeout: BUSY_TIMEOUT_MS });
    try {
      database.prepare("VACUUM INTO ?").run(partial);
    } finally {
      database.close();
    }
    assertSound(partial, kind);
    renameSync(partial, target);
    return statSync(target).size;
  } catch (thrown) {
    rmSync(partial, { force: true });
    throw asRefusal(thrown, "The backup could not be made");
  }
}

/**
 * Puts a backup in the place of the database at `to`. Nothing is touched unless the backup is sound and nobody has the
 * database open.
 *
 * @param force whether a database that is there already may be replaced
 * @throws SluiceError `unavailable` with the fix
 */
export function restoreSqlite(from: string, to: string, force: boolean, kind: SqliteKind): void {
  const source = resolve(from);
  const target = resolve(to);
  assertExists(source, "backup");
  if (existsSync(target) && !force) {
    throw refuse(`${target} exists; add --force to replace it, or move it away`);
  }
  const partial = `${target}.partial`;
  try {
    makeEmpty(partial);
    assertSound(source, kind);
    if (existsSync(target)) assertUnused(target);
    const database = new DatabaseSync(source, { readOnly: true });
    try {
      database.prepare("VACUUM INTO ?").run(partial);
    } finally {
      database.close();
    }
    assertSound(partial, kind);
    for (const companion of COMPANIONS) rmSync(target + companion, { force: true });
    renameSync(partial, target);
  } catch (thrown) {
    rmSync(partial, { force: true });
    throw asRefusal(thrown, "The backup could not be restored");
  }
}

/** For the eyes of this user alone, as the database is. */
function makeEmpty(path: string): void {
  rmSync(path, { force: true });
  closeSync(openSync(path, "wx", 0o600));
}

function assertExists(path: string, what: string): void {
  if (!existsSync(path)) throw refuse(`there is no ${what} at ${path}`);
}

function assertSound(path: string, { name, table }: SqliteKind): void {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const [first] = database.prepare("PRAGMA integrity_check(1)").all();
    const verdict = first === undefined ? "nothing" : Object.values(first)[0];
    if (verdict !== "ok") throw refuse(`${path} is damaged (${String(verdict)})`);
    const tables = database
      .prepare("select count(*) as tables from sqlite_master where name = ?")
      .get(table);
    if (tables?.["tables"] !== 1) throw refuse(`${path} is no ${name} of Sluice`);
  } finally {
    database.close();
  }
}

/** Leaving the mode of the log needs the file for oneself alone, which is the question here. */
function assertUnused(path: string): void {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = DELETE");
  } catch (cause) {
    throw refuse(`${path} is in use; stop the servers that have it open first`, cause);
  } finally {
    database.close();
  }
}

function refuse(reason: string, cause?: unknown): SluiceError {
  return new SluiceError("unavailable", `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`, {
    cause,
  });
}

function asRefusal(thrown: unknown, what: string): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new SluiceError("unavailable", `${what}: ${reason}.`, { cause: thrown });
}
