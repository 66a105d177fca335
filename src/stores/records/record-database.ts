import type { Kysely, Transaction } from "kysely";
import type { RecordTables } from "./tables.ts";

/**
 * The database that keeps records. Whatever it rejects with is a SluiceError: `unavailable` when the database cannot be
 * reached, read or written, with the fix; `internal` when a statement is wrong.
 */
export interface RecordDatabase {
  readonly dialect: "sqlite" | "postgres";
  /** For the start screen; without passwords. */
  readonly description: string;
  readonly db: Kysely<RecordTables>;
  /**
   * Runs `work` in one transaction: all of it or nothing. It may run several times, when another transaction was in its way.
   */
  transact<T>(work: (trx: Transaction<RecordTables>) => Promise<T>): Promise<T>;
  /** Idempotent. */
  close(): Promise<void>;
}
