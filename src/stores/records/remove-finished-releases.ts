import { sql } from "kysely";
import type { RecordDatabase } from "./record-database.ts";

/** As `ReleaseStore.removeFinished`. What has ended never changes, so that nobody writes to what is removed here. */
export function removeFinishedReleases(
  database: RecordDatabase,
  keep: number,
  limit: number,
): Promise<number> {
  return database.transact(async (trx) => {
    const ranked = trx
      .selectFrom("releases")
      .select(["id", "sequence"])
      .select(
        sql<number>`row_number() over (partition by model order by sequence desc)`.as("place"),
      )
      .where("open_model", "is", null);
    const old = await trx
      .selectFrom(ranked.as("ranked"))
      .select("id")
      .where("place", ">", keep)
      .orderBy("sequence")
      .limit(limit)
      .execute();
    const ids = old.map(({ id }) => id);
    if (ids.length === 0) return 0;
    for (const table of ["release_events", "release_commands", "release_observations"] as const) {
      await trx.deleteFrom(table).where("release_id", "in", ids).execute();
    }
    await trx.deleteFrom("releases").where("id", "in", ids).execute();
    return ids.length;
  });
}
