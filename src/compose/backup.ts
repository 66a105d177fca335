import type { Config } from "../config/schema.ts";
import { SluiceError } from "../core/errors.ts";
import type { SqliteKind } from "../stores/sqlite/backup-sqlite.ts";

/** What can be copied to a file and put back. */
export type BackedUp = "records" | "vectors";

const KINDS: Readonly<Record<BackedUp, SqliteKind>> = {
  records: { name: "record database", table: "sluice_migrations" },
  vectors: { name: "file of vectors", table: "collections" },
};

/** @returns the size of the copy in bytes. @throws SluiceError see `backupSqlite` */
export async function backupStore(config: Config, what: BackedUp, file: string): Promise<number> {
  const path = findFile(config, what, "pg_dump --format custom --file");
  const { backupSqlite } = await import("../stores/sqlite/backup-sqlite.ts");
  return backupSqlite(path, file, KINDS[what]);
}

/** @returns the file that was written. @throws SluiceError see `restoreSqlite` */
export async function restoreStore(
  config: Config,
  what: BackedUp,
  { file, force }: { readonly file: string; readonly force: boolean },
): Promise<string> {
  const path = findFile(config, what, "pg_restore --clean --dbname NAME");
  const { restoreSqlite } = await import("../stores/sqlite/backup-sqlite.ts");
  restoreSqlite(file, path, force, KINDS[what]);
  return path;
}

/** @throws SluiceError where the store is on a server, with its own way */
function findFile(config: Config, what: BackedUp, command: string): string {
  const { store } = config[what];
  if (store.driver === "sqlite") return store.path;
  const message = `The ${what} are in PostgreSQL, which has its own way: ${command} FILE.`;
  throw new SluiceError("invalid_argument", message);
}
