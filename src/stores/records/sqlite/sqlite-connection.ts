import { Worker } from "node:worker_threads";
import { SluiceError } from "../../../core/errors.ts";
import { describeFault } from "./describe-fault.ts";
import type {
  SqlFault,
  SqliteThreadData,
  SqlValue,
  StatementAnswer,
  StatementRequest,
} from "./statement.ts";

export interface StatementResult {
  readonly rows: readonly Record<string, SqlValue>[];
  /** Rows that were written, or given back by `RETURNING`. */
  readonly changes: number;
}

/** A database on a thread of its own. Statements run one after another, in the order of the calls. */
export interface SqliteConnection {
  /** @throws SluiceError see `describeFault` */
  run(sql: string, parameters: readonly SqlValue[]): Promise<StatementResult>;
  /** Lets what was begun end, then closes the file. Idempotent. */
  close(): Promise<void>;
}

interface Waiter {
  resolve(result: StatementResult): void;
  reject(error: SluiceError): void;
}

/**
 * Opens a database file, makes it if there is none, and checks it.
 *
 * @throws SluiceError `unavailable` with the path and the fix
 */
export async function openSqliteConnection(data: SqliteThreadData): Promise<SqliteConnection> {
  const thread = new Worker(new URL("./sqlite-thread.ts", import.meta.url), { workerData: data });
  const waiting = new Map<number, Waiter>();
  const ended = new Promise<void>((resolve) => {
    thread.once("exit", () => {
      const error = closedError();
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    thread.once("error", reject);
    thread.once("message", (first: { readonly ready: true } | { readonly fault: SqlFault }) => {
      if ("ready" in first) resolve();
      else reject(describeFault(first.fault, data.path));
    });
  });
  thread.on("error", () => {});
  thread.on("message", (answer: StatementAnswer) => {
    const waiter = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("fault" in answer) waiter?.reject(describeFault(answer.fault, data.path));
    else waiter?.resolve(answer);
    if (waiting.size === 0) thread.unref();
  });
  thread.unref();

  let lastId = 0;
  let isClosed = false;
  return {
    run: (sql, parameters) => {
      if (isClosed) return Promise.reject(closedError());
      const id = ++lastId;
      const request: StatementRequest = { id, sql, parameters };
      // A process does not end while it waits for an answer, nor stays because of a database that nobody asks.
      thread.ref();
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        thread.postMessage(request);
      });
    },
    close: async () => {
      if (!isClosed) {
        isClosed = true;
        thread.ref();
        thread.postMessage("close");
      }
      await ended;
    },
  };
}

function closedError(): SluiceError {
  return new SluiceError("unavailable", "The record database is closed.");
}
