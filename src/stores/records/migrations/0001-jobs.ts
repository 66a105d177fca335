import type { Migration } from "./migration.ts";

/** Jobs and their rows. */
export const jobsMigration: Migration = {
  name: "0001-jobs",
  apply: async (trx) => {
    await trx.schema
      .createTable("jobs")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("request", "text", (column) => column.notNull())
      .addColumn("idempotency_key", "text")
      .addColumn("input_digest", "text")
      .addColumn("total_rows", "bigint", (column) => column.notNull().defaultTo(0))
      .addColumn("done_rows", "bigint", (column) => column.notNull().defaultTo(0))
      .addColumn("failed_rows", "bigint", (column) => column.notNull().defaultTo(0))
      .addColumn("chunks", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("round", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("created_at_ms", "bigint", (column) => column.notNull())
      .addColumn("started_at_ms", "bigint")
      .addColumn("finished_at_ms", "bigint")
      .addColumn("expires_at_ms", "bigint", (column) => column.notNull())
      .addColumn("failure", "text")
      .execute();
    await trx.schema
      .createIndex("jobs_by_idempotency_key")
      .on("jobs")
      .columns(["owner", "idempotency_key"])
      .unique()
      .execute();
    await trx.schema.createIndex("jobs_by_owner").on("jobs").columns(["owner", "id"]).execute();
    await trx.schema.createIndex("jobs_by_expiry").on("jobs").column("expires_at_ms").execute();
    await trx.schema.createIndex("jobs_by_state").on("jobs").columns(["state", "id"]).execute();
    await trx.schema
      .createTable("job_chunks")
      .addColumn("job_id", "text", (column) =>
        column.notNull().references("jobs.id").onDelete("cascade"),
      )
      .addColumn("position", "integer", (column) => column.notNull())
      .addColumn("first_row", "bigint", (column) => column.notNull())
      .addColumn("row_count", "integer", (column) => column.notNull())
      .addColumn("input", "text", (column) => column.notNull())
      .addColumn("results", "text")
      .addColumn("failed_rows", "integer", (column) => column.notNull().defaultTo(0))
      .addColumn("done_round", "integer", (column) => column.notNull().defaultTo(-1))
      .addPrimaryKeyConstraint("job_chunks_key", ["job_id", "position"])
      .execute();
    // Unfinished chunks are looked for while the table holds millions of finished ones.
    await trx.schema
      .createIndex("job_chunks_by_round")
      .on("job_chunks")
      .columns(["job_id", "done_round", "position"])
      .execute();
  },
};
