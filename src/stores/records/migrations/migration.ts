import type { Transaction } from "kysely";
import type { RecordDatabase } from "../record-database.ts";
import type { RecordTables } from "../tables.ts";

/**
 * One step of the schema, for both dialects. Steps only add (expand) or take away what no release reads any more (contract), so that
 * the release before the newest can work on the database too.
 */
export interface Migration {
  /** Its number and what it makes, as the file is named; never changed once it was released. */
  readonly name: string;
  apply(trx: Transaction<RecordTables>, dialect: RecordDatabase["dialect"]): Promise<void>;
}
