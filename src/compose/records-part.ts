import { existsSync } from "node:fs";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { RecordDatabase } from "../stores/records/record-database.ts";
import { Lazy } from "./lazy.ts";
import { migrateRecords, openRecordDatabase } from "./records.ts";

/** The database of records as a server has it: one for all that keep something, opened when the first of them needs it. */
export interface RecordsPart {
  readonly description: string;
  /** Whether there is nothing in it yet. A laptop that never saw a job has no file, and needs none. */
  readonly isUntouched: () => boolean;
  /**
   * The database with its tables brought up to date. After an attempt that failed, the next call makes another.
   *
   * @throws SluiceError `unavailable` with the fix
   */
  open(): Promise<RecordDatabase>;
  /** Hears, once, that there is something in it now, whichever process put it there. @returns ends the waiting */
  onTouched(listener: () => void): () => void;
  /** Hears of the database as soon as somebody has opened it. */
  onOpened(listener: (database: RecordDatabase) => void): void;
  close(): Promise<void>;
}

/** How often to look for a file that another process makes. */
const TOUCHED_LOOK_MS = 500;

export function createRecordsPart(
  config: Config,
  {
    clock,
    logger,
  }: { readonly clock: Pick<Clock, "epochMs" | "setTimer">; readonly logger: Logger },
): RecordsPart {
  const { store } = config.records;
  const listeners: ((database: RecordDatabase) => void)[] = [];
  const lazy = new Lazy(async () => {
    const database = await openRecordDatabase(config);
    try {
      const applied = await migrateRecords(database, () => clock.epochMs());
      if (applied.length > 0)
        logger.info("The record database was brought up to date.", { applied });
    } catch (error) {
      await database.close();
      throw error;
    }
    for (const listener of listeners) listener(database);
    return database;
  });
  const isUntouched = () => store.driver === "sqlite" && !existsSync(store.path);
  return {
    description: store.driver === "sqlite" ? `SQLite, ${store.path}` : "PostgreSQL",
    isUntouched,
    onTouched: (listener) => {
      let cancel = () => {};
      const look = () => {
        cancel = clock.setTimer(TOUCHED_LOOK_MS, () => (isUntouched() ? look() : listener()));
      };
      look();
      return () => cancel();
    },
    open: () => lazy.get(),
    onOpened: (listener) => listeners.push(listener),
    close: () => lazy.close(),
  };
}
