import type { Transaction } from "kysely";
import { sql } from "kysely";
import type { ReleaseStore, StoredRelease } from "../../core/ports/release-store.ts";
import type { ReleaseEvent } from "../../core/releases/decision.ts";
import { isFinishedPhase } from "../../core/releases/release-phase.ts";
import type { AppendEvents } from "./job-store.ts";
import type { RecordDatabase } from "./record-database.ts";
import { createReleaseInbox } from "./release-inbox.ts";
import { removeFinishedReleases } from "./remove-finished-releases.ts";
import type { RecordTables, ReleasesTable } from "./tables.ts";

/** Decisions that are kept of a release. */
const KEPT_EVENTS = 1000;

/** Releases in the record database. */
export function createReleaseStore(
  database: RecordDatabase,
  appendEvents: AppendEvents,
): ReleaseStore {
  const { db } = database;
  return {
    description: database.description,
    ...createReleaseInbox(database),
    create: (plan, state, events) =>
      database.transact(async (trx) => {
        const row = await trx
          .insertInto("releases")
          .values({
            ...{ id: state.id, model: state.model, revision: 1, analysis: null },
            open_model: isFinishedPhase(state.phase) ? null : state.model,
            plan: JSON.stringify(plan),
            state: JSON.stringify(state),
          })
          .onConflict((conflict) => conflict.column("open_model").doNothing())
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) return undefined;
        await countChange(trx);
        if (events.length > 0) await appendEvents(trx, events);
        return toRelease(row);
      }),
    find: async (id) => {
      const row = await db
        .selectFrom("releases")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? undefined : toRelease(row);
    },
    list: async ({ model, after, limit }) => {
      let query = db.selectFrom("releases").selectAll().orderBy("sequence", "desc").limit(limit);
      if (model !== undefined) query = query.where("model", "=", model);
      if (after !== undefined) {
        query = query.where("sequence", "<", (eb) =>
          eb.selectFrom("releases as last").select("last.sequence").where("last.id", "=", after),
        );
      }
      return (await query.execute()).map(toRelease);
    },
    listCurrent: async () => {
      const rows = await db
        .selectFrom("releases")
        .selectAll()
        .where("sequence", "in", (eb) =>
          eb
            .selectFrom("releases as one")
            .select((of) => of.fn.max("one.sequence").as("sequence"))
            .groupBy("one.model"),
        )
        .orderBy("sequence", "desc")
        .execute();
      return rows.map(toRelease);
    },
    readRevision: async () => {
      const row = await db.selectFrom("release_changes").select("changes").executeTakeFirst();
      return row?.changes ?? 0;
    },
    save: (id, expectedRevision, { state, plan, analysis, event, endsCommand }, events) =>
      database.transact(async (trx) => {
        const row = await trx
          .updateTable("releases")
          .set({
            revision: expectedRevision + 1,
            open_model: isFinishedPhase(state.phase) ? null : state.model,
            state: JSON.stringify(state),
            ...(plan !== undefined && { plan: JSON.stringify(plan) }),
            ...(analysis !== undefined && { analysis: analysis && JSON.stringify(analysis) }),
          })
          .where("id", "=", id)
          .where("revision", "=", expectedRevision)
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) return undefined;
        await countChange(trx);
        if (event !== undefined) await addEvent(trx, id, event);
        if (endsCommand !== undefined) {
          await trx.deleteFrom("release_commands").where("id", "=", endsCommand).execute();
        }
        if (events.length > 0) await appendEvents(trx, events);
        return toRelease(row);
      }),
    removeFinished: (keep, limit) => removeFinishedReleases(database, keep, limit),
    history: async (id, limit) => {
      const rows = await db
        .selectFrom("release_events")
        .select("event")
        .where("release_id", "=", id)
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map(({ event }) => JSON.parse(event) as ReleaseEvent);
    },
  };
}

/** One row that every change updates: changes follow each other, and whoever reads it sees all those before. */
async function countChange(trx: Transaction<RecordTables>): Promise<void> {
  await trx
    .insertInto("release_changes")
    .values({ name: "releases", changes: 1 })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet({ changes: sql`release_changes.changes + 1` }),
    )
    .execute();
}

async function addEvent(
  trx: Transaction<RecordTables>,
  id: string,
  event: ReleaseEvent,
): Promise<void> {
  await trx
    .insertInto("release_events")
    .values({ release_id: id, event: JSON.stringify(event) })
    .execute();
  await trx
    .deleteFrom("release_events")
    .where("release_id", "=", id)
    .where("sequence", "<=", (eb) =>
      eb
        .selectFrom("release_events as kept")
        .select("kept.sequence")
        .where("kept.release_id", "=", id)
        .orderBy("kept.sequence", "desc")
        .offset(KEPT_EVENTS)
        .limit(1),
    )
    .execute();
}

function toRelease({ plan, state, analysis, revision }: ReleaseRow): StoredRelease {
  return {
    plan: JSON.parse(plan),
    state: JSON.parse(state),
    analysis: analysis === null ? null : JSON.parse(analysis),
    revision,
  };
}

type ReleaseRow = Pick<ReleasesTable, "plan" | "state" | "analysis" | "revision">;
