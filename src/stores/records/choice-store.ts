import { sql } from "kysely";
import type { ModelChoice } from "../../core/models/version-choices.ts";
import { isNoChoice, NO_CHOICE } from "../../core/models/version-choices.ts";
import type { ChoiceStore } from "../../core/ports/choice-store.ts";
import type { RecordDatabase } from "./record-database.ts";

/** Pins and labels in the record database. */
export function createChoiceStore({ db, transact }: RecordDatabase): ChoiceStore {
  return {
    readAll: async () => {
      const rows = await db.selectFrom("model_choices").selectAll().execute();
      return new Map(rows.map(({ model, choice }) => [model, JSON.parse(choice) as ModelChoice]));
    },
    readRevision: async () => {
      const row = await db.selectFrom("choice_changes").select("changes").executeTakeFirst();
      return row?.changes ?? 0;
    },
    change: (model, change) =>
      transact(async (trx) => {
        // The row that every change updates comes first: who has it is alone.
        await trx
          .insertInto("choice_changes")
          .values({ name: "models", changes: 1 })
          .onConflict((conflict) =>
            conflict.column("name").doUpdateSet({ changes: sql`choice_changes.changes + 1` }),
          )
          .execute();
        const row = await trx
          .selectFrom("model_choices")
          .select("choice")
          .where("model", "=", model)
          .executeTakeFirst();
        const before: ModelChoice = row === undefined ? NO_CHOICE : JSON.parse(row.choice);
        const after = change(before);
        if (isNoChoice(after)) {
          await trx.deleteFrom("model_choices").where("model", "=", model).execute();
          return after;
        }
        const choice = JSON.stringify(after);
        await trx
          .insertInto("model_choices")
          .values({ model, choice })
          .onConflict((conflict) => conflict.column("model").doUpdateSet({ choice }))
          .execute();
        return after;
      }),
  };
}
