import type { Migration } from "./migration.ts";

/** Releases: where they stand, what was decided, what people want, who decides, and what was seen. */
export const releasesMigration: Migration = {
  name: "0004-releases",
  apply: async (trx, dialect) => {
    const sequenceType = dialect === "sqlite" ? "integer" : "bigserial";
    await trx.schema
      .createTable("releases")
      .addColumn("sequence", sequenceType, (column) =>
        dialect === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("model", "text", (column) => column.notNull())
      // Null once it has ended, so that a model has one open release at most.
      .addColumn("open_model", "text", (column) => column.unique())
      .addColumn("revision", "integer", (column) => column.notNull())
      .addColumn("plan", "text", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("analysis", "text")
      .execute();
    await trx.schema
      .createIndex("releases_by_model")
      .on("releases")
      .columns(["model", "sequence"])
      .execute();
    await trx.schema
      .createTable("release_changes")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("changes", "bigint", (column) => column.notNull())
      .execute();
    await trx.schema
      .createTable("release_events")
      .addColumn("sequence", sequenceType, (column) =>
        dialect === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn("release_id", "text", (column) => column.notNull())
      .addColumn("event", "text", (column) => column.notNull())
      .execute();
    await trx.schema
      .createIndex("release_events_by_release")
      .on("release_events")
      .columns(["release_id", "sequence"])
      .execute();
    await trx.schema
      .createTable("release_commands")
      .addColumn("sequence", sequenceType, (column) =>
        dialect === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn("id", "text", (column) => column.notNull().unique())
      .addColumn("release_id", "text", (column) => column.notNull())
      .addColumn("command", "text", (column) => column.notNull())
      .execute();
    await trx.schema
      .createTable("release_observations")
      .addColumn("release_id", "text", (column) => column.notNull())
      .addColumn("replica", "text", (column) => column.notNull())
      .addColumn("window_ms", "bigint", (column) => column.notNull())
      .addColumn("stable", "text", (column) => column.notNull())
      .addColumn("candidate", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("release_observations_once", ["release_id", "replica"])
      .execute();
    await trx.schema
      .createTable("leases")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("holder", "text", (column) => column.notNull())
      .addColumn("until_ms", "bigint", (column) => column.notNull())
      .execute();
  },
};
