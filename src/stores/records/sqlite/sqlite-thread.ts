import type { StatementSync } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { enableWriteAheadLog } from "../../sqlite/enable-write-ahead-log.ts";
import type {
  SqlFault,
  SqliteThreadData,
  SqlValue,
  StatementAnswer,
  StatementRequest,
} from "./statement.ts";

/**
 * The thread of a database: SQLite's calls block, and one that waits for a disk would hold up every request of the process.
 * Says `{ ready: true }` or `{ fault }` once, then answers statements in their order.
 */

/** Statements that are kept prepared. */
const MAX_PREPARED = 256;

/** SQLITE_CORRUPT. */
const CORRUPT = 11;

/** The check at start found a page that cannot be right. */
class CheckFailed extends Error {}

const { path, busyTimeoutMs } = workerData as SqliteThreadData;
const port = parentPort;
if (port === null) throw new Error("This file is the entry of a worker thread.");

let database: DatabaseSync;
const prepared = new Map<string, StatementSync>();

try {
  database = open();
  port.on("message", (message: StatementRequest | "close") => {
    if (message === "close") close();
    else port.postMessage(run(message));
  });
  port.postMessage({ ready: true });
} catch (thrown) {
  port.postMessage({ fault: toFault(thrown) });
  port.close();
}

function open(): DatabaseSync {
  const opened = new DatabaseSync(path, { timeout: busyTimeoutMs });
  enableWriteAheadLog(opened, busyTimeoutMs);
  // Every commit is on the disk before it is acknowledged.
  opened.exec("PRAGMA synchronous = FULL");
  opened.exec("PRAGMA foreign_keys = ON");
  const [first] = opened.prepare("PRAGMA quick_check(1)").all();
  const verdict = first === undefined ? "nothing" : Object.values(first)[0];
  if (verdict !== "ok") throw new CheckFailed(String(verdict));
  return opened;
}

function run({ id, sql, parameters }: StatementRequest): StatementAnswer {
  try {
    const statement = prepare(sql);
    if (statement.columns().length > 0) {
      const rows = statement.all(...parameters) as Record<string, SqlValue>[];
      return { id, rows, changes: rows.length };
    }
    return { id, rows: [], changes: Number(statement.run(...parameters).changes) };
  } catch (thrown) {
    return { id, fault: toFault(thrown) };
  }
}

function prepare(sql: string): StatementSync {
  const known = prepared.get(sql);
  if (known !== undefined) return known;
  if (prepared.size >= MAX_PREPARED) prepared.clear();
  const statement = database.prepare(sql);
  prepared.set(sql, statement);
  return statement;
}

function close(): void {
  prepared.clear();
  try {
    database.close();
  } finally {
    port?.close();
  }
}

function toFault(thrown: unknown): SqlFault {
  if (thrown instanceof CheckFailed) return { message: thrown.message, code: CORRUPT };
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code =
    thrown instanceof Error && "errcode" in thrown && typeof thrown.errcode === "number"
      ? thrown.errcode % 256
      : 0;
  return { message, code };
}
