/** What goes to the thread of a database and comes back. */

export type SqlValue = null | number | bigint | string | Uint8Array;

/** One statement; `id` tells which answer is whose. */
export interface StatementRequest {
  readonly id: number;
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

export type StatementAnswer =
  | {
      readonly id: number;
      readonly rows: readonly Record<string, SqlValue>[];
      readonly changes: number;
    }
  | { readonly id: number; readonly fault: SqlFault };

/** What SQLite said. */
export interface SqlFault {
  readonly message: string;
  /** Primary result code (https://sqlite.org/rescode.html), 0 when it came from elsewhere. */
  readonly code: number;
}

/** What the thread starts with. */
export interface SqliteThreadData {
  readonly path: string;
  readonly busyTimeoutMs: number;
}
