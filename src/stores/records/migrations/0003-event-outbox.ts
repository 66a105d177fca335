import { sql } from "kysely";
import type { Migration } from "./migration.ts";

/** Events and where they are to go. */
export const eventOutboxMigration: Migration = {
  name: "0003-event-outbox",
  apply: async (trx, dialect) => {
    await trx.schema
      .createTable("events")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("event", "text", (column) => column.notNull())
      .addColumn("created_at_ms", "bigint", (column) => column.notNull())
      .execute();
    await trx.schema
      .createTable("deliveries")
      .addColumn("sequence", dialect === "sqlite" ? "integer" : "bigserial", (column) =>
        dialect === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn("event_id", "text", (column) =>
        column.notNull().references("events.id").onDelete("cascade"),
      )
      .addColumn("destination", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("attempts", "integer", (column) => column.notNull())
      .addColumn("visible_at_ms", "bigint", (column) => column.notNull())
      .addColumn("reason", "text")
      .addColumn("changed_at_ms", "bigint", (column) => column.notNull())
      .addUniqueConstraint("deliveries_once", ["event_id", "destination"])
      .execute();
    // Only what waits is looked through; finished deliveries may be many.
    await sql`create index deliveries_waiting on deliveries (destination, sequence) where state = 'waiting'`.execute(
      trx,
    );
    await trx.schema
      .createIndex("deliveries_by_change")
      .on("deliveries")
      .columns(["state", "changed_at_ms"])
      .execute();
    await trx.schema
      .createIndex("events_by_time")
      .on("events")
      .columns(["created_at_ms"])
      .execute();
  },
};
