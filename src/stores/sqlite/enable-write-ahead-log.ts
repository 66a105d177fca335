import type { DatabaseSync } from "node:sqlite";

/** SQLITE_BUSY. */
const BUSY = 5;
const PAUSE_MS = 10;

/**
 * Two processes that make a new file at once both read it and want to write, which SQLite refuses one of them at once, without
 * waiting (https://www.sqlite.org/c3ref/busy_handler.html). That one has its turn a little later. Holds the thread.
 *
 * @throws what `node:sqlite` throws, after `busyTimeoutMs` also for a file that is busy
 */
export function enableWriteAheadLog(database: DatabaseSync, busyTimeoutMs: number): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  const endMs = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (thrown) {
      const code = thrown instanceof Error && "errcode" in thrown ? Number(thrown.errcode) : 0;
      if (code % 256 !== BUSY || performance.now() > endMs) throw thrown;
      Atomics.wait(pause, 0, 0, PAUSE_MS);
    }
  }
}
