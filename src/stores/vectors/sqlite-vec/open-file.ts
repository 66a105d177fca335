import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SluiceError } from "../../../core/errors.ts";
import { enableWriteAheadLog } from "../../sqlite/enable-write-ahead-log.ts";
import { corruptFile, toFileError } from "./file-error.ts";
import type { FileSetup } from "./store-protocol.ts";

/** Layout of the file, kept in `user_version`. */
const LAYOUT_VERSION = 1;

const TABLES = `
  CREATE TABLE IF NOT EXISTS collections (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    dimensions INTEGER NOT NULL,
    metric TEXT NOT NULL,
    origin TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS items (
    collection INTEGER NOT NULL,
    id TEXT NOT NULL,
    label TEXT,
    metadata TEXT NOT NULL,
    squares REAL NOT NULL,
    vector BLOB NOT NULL,
    text TEXT,
    UNIQUE (collection, id)
  ) STRICT;
`;

/**
 * Opens the file, or makes it: write-ahead log, every commit on disk before it is acknowledged, pages checked.
 *
 * @throws SluiceError `unavailable` with the fix when the file or the extension cannot be used
 */
export async function openFile({ path, busyTimeoutMs }: FileSetup): Promise<DatabaseSync> {
  const extension = await findExtension();
  let db: DatabaseSync | undefined;
  try {
    makeFile(path);
    db = new DatabaseSync(path, { allowExtension: true, timeout: busyTimeoutMs });
    loadExtension(db, extension);
    enableWriteAheadLog(db, busyTimeoutMs);
    db.exec("PRAGMA synchronous = FULL");
    // Every search reads every vector. With 10,000 of 384 numbers, 64 MiB take it from 14 to 11 ms.
    db.exec("PRAGMA cache_size = -65536");
    const finding = String(db.prepare("PRAGMA quick_check(1)").get()?.["quick_check"]);
    if (finding !== "ok") throw corruptFile(finding);
    prepareTables(db);
    return db;
  } catch (error) {
    db?.close();
    throw toFileError(error);
  }
}

/** For this user alone: items hold texts of callers. */
function makeFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    const message =
      "The file of vectors.store.path cannot be made or written; check the rights on it and its folder.";
    throw new SluiceError("unavailable", message, { cause });
  }
}

function prepareTables(db: DatabaseSync): void {
  const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (version === LAYOUT_VERSION) return;
  if (version > LAYOUT_VERSION) {
    const message = "The file of vectors.store.path was written by a newer version; use that one.";
    throw new SluiceError("unavailable", message);
  }
  db.exec(`BEGIN IMMEDIATE; ${TABLES} PRAGMA user_version = ${LAYOUT_VERSION}; COMMIT;`);
}

async function findExtension(): Promise<string> {
  try {
    const { getLoadablePath } = await import("sqlite-vec");
    return getLoadablePath();
  } catch (cause) {
    throw withoutExtension(cause);
  }
}

function loadExtension(db: DatabaseSync, extension: string): void {
  try {
    db.loadExtension(extension);
    db.enableLoadExtension(false);
  } catch (cause) {
    throw withoutExtension(cause);
  }
}

function withoutExtension(cause: unknown): SluiceError {
  const message =
    "The SQLite extension sqlite-vec cannot be loaded; run npm install sqlite-vec on this machine, or set vectors.store.driver to pgvector.";
  return new SluiceError("unavailable", message, { cause });
}
