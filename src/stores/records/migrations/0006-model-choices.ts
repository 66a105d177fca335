import type { Migration } from "./migration.ts";

/** Pins and labels of models. */
export const modelChoicesMigration: Migration = {
  name: "0006-model-choices",
  apply: async (trx) => {
    await trx.schema
      .createTable("model_choices")
      .addColumn("model", "text", (column) => column.primaryKey())
      .addColumn("choice", "text", (column) => column.notNull())
      .execute();
    await trx.schema
      .createTable("choice_changes")
      .addColumn("name", "text", (column) => column.primaryKey())
      .addColumn("changes", "bigint", (column) => column.notNull())
      .execute();
  },
};
