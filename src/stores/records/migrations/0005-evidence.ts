import type { Migration } from "./migration.ts";

/** What tells how good versions are: texts that were asked, feedback, and sets of labelled texts. */
export const evidenceMigration: Migration = {
  name: "0005-evidence",
  apply: async (trx, dialect) => {
    const sequenceType = dialect === "sqlite" ? "integer" : "bigserial";
    await trx.schema
      .createTable("kept_texts")
      .addColumn("sequence", sequenceType, (column) =>
        dialect === "sqlite" ? column.primaryKey().autoIncrement() : column.primaryKey(),
      )
      .addColumn("request_id", "text", (column) => column.notNull())
      .addColumn("item", "integer", (column) => column.notNull())
      .addColumn("model", "text", (column) => column.notNull())
      .addColumn("kept", "text", (column) => column.notNull())
      .addUniqueConstraint("kept_texts_once", ["request_id", "item"])
      .execute();
    await trx.schema
      .createIndex("kept_texts_by_model")
      .on("kept_texts")
      .columns(["model", "sequence"])
      .execute();
    await trx.schema
      .createTable("feedback")
      .addColumn("request_id", "text", (column) => column.notNull())
      .addColumn("item", "integer", (column) => column.notNull())
      .addColumn("model", "text", (column) => column.notNull())
      .addColumn("version", "text", (column) => column.notNull())
      .addColumn("is_right", "integer", (column) => column.notNull())
      .addColumn("has_text", "integer", (column) => column.notNull())
      .addColumn("feedback", "text", (column) => column.notNull())
      .addColumn("given_at_ms", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("feedback_once", ["request_id", "item"])
      .execute();
    await trx.schema
      .createIndex("feedback_by_model")
      .on("feedback")
      .columns(["model", "given_at_ms"])
      .execute();
    await trx.schema
      .createIndex("feedback_by_age")
      .on("feedback")
      .columns(["given_at_ms"])
      .execute();
    await trx.schema
      .createTable("gate_sets")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("size", "integer", (column) => column.notNull())
      .addColumn("updated_at_ms", "bigint", (column) => column.notNull())
      .execute();
    await trx.schema
      .createTable("gate_texts")
      .addColumn("gate_set", "text", (column) => column.notNull())
      .addColumn("position", "integer", (column) => column.notNull())
      .addColumn("labelled", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("gate_texts_once", ["gate_set", "position"])
      .execute();
  },
};
