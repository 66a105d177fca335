import { sql } from "kysely";
import type { ReleaseStore } from "../../core/ports/release-store.ts";
import type { ReleaseCommand } from "../../core/releases/release-command.ts";
import type { RecordDatabase } from "./record-database.ts";

/** What comes to whoever decides about releases: commands of people, what replicas have seen, and the right to decide. */
export type ReleaseInbox = Pick<
  ReleaseStore,
  "addCommand" | "findCommand" | "acquireLease" | "releaseLease" | "observe" | "readObservations"
>;

/** That part of the store of releases which has nothing to do with their revisions. */
export function createReleaseInbox(database: RecordDatabase): ReleaseInbox {
  const { db } = database;
  return {
    addCommand: async (releaseId, { id, command }) => {
      await db
        .insertInto("release_commands")
        .values({ id, release_id: releaseId, command: JSON.stringify(command) })
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
    },
    findCommand: async (releaseId) => {
      const row = await db
        .selectFrom("release_commands")
        .select(["id", "command"])
        .where("release_id", "=", releaseId)
        .orderBy("sequence")
        .limit(1)
        .executeTakeFirst();
      return row && { id: row.id, command: JSON.parse(row.command) as ReleaseCommand };
    },
    acquireLease: async (name, holder, nowMs, ttlMs) => {
      const taken = await db
        .insertInto("leases")
        .values({ name, holder, until_ms: nowMs + ttlMs })
        .onConflict((conflict) =>
          conflict
            .column("name")
            .doUpdateSet({ holder, until_ms: nowMs + ttlMs })
            .where((eb) =>
              eb.or([eb("leases.holder", "=", holder), eb("leases.until_ms", "<=", nowMs)]),
            ),
        )
        .returning("holder")
        .executeTakeFirst();
      return taken !== undefined;
    },
    releaseLease: async (name, holder) => {
      await db.deleteFrom("leases").where("name", "=", name).where("holder", "=", holder).execute();
    },
    observe: (releaseId, { replica, windowStartedAtMs, stable, candidate }) =>
      database.transact(async (trx) => {
        const seen = {
          window_ms: windowStartedAtMs,
          stable: JSON.stringify(stable),
          candidate: JSON.stringify(candidate),
        };
        await trx
          .insertInto("release_observations")
          .values({ release_id: releaseId, replica, ...seen })
          .onConflict((conflict) =>
            conflict
              .columns(["release_id", "replica"])
              .doUpdateSet(seen)
              // What comes late, of a window that is over, must not replace what came after it.
              .where(sql<boolean>`release_observations.window_ms <= ${windowStartedAtMs}`),
          )
          .execute();
        await trx
          .deleteFrom("release_observations")
          .where("release_id", "=", releaseId)
          .where("window_ms", "<", windowStartedAtMs)
          .execute();
      }),
    readObservations: async (releaseId, windowStartedAtMs) => {
      const rows = await db
        .selectFrom("release_observations")
        .select(["replica", "window_ms", "stable", "candidate"])
        .where("release_id", "=", releaseId)
        .where("window_ms", "=", windowStartedAtMs)
        .orderBy("replica")
        .execute();
      return rows.map(({ replica, window_ms, stable, candidate }) => ({
        ...{ replica, windowStartedAtMs: window_ms },
        stable: JSON.parse(stable),
        candidate: JSON.parse(candidate),
      }));
    },
  };
}
