import { sql } from "kysely";
import type { Migration } from "./migration.ts";

/** The queue of work, where it is a table. */
export const workQueueMigration: Migration = {
  name: "0002-work-queue",
  apply: async (trx, dialect) => {
    const counting = dialect === "sqlite" ? "integer" : "bigserial";
    await trx.schema
      .createTable("work_messages")
      .addColumn("sequence", counting, (column) =>
        dialect === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("lane", "text", (column) => column.notNull())
      .addColumn("body", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull().defaultTo("waiting"))
      .addColumn("attempts", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("lease", "text")
      .addColumn("visible_at_ms", "bigint", (column) => column.notNull().defaultTo(0))
      .addColumn("reason", "text")
      .addColumn("changed_at_ms", "bigint", (column) => column.notNull())
      .execute();
    // Only what waits is looked through; finished messages may be many.
    await sql`create index work_messages_waiting on work_messages (lane, sequence) where state = 'waiting'`.execute(
      trx,
    );
    await trx.schema
      .createIndex("work_messages_by_change")
      .on("work_messages")
      .columns(["state", "changed_at_ms"])
      .execute();
  },
};
