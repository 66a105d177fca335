import type { Transaction } from "kysely";
import type { OutgoingEvent } from "../../core/ports/event-outbox.ts";
import type { JobStore } from "../../core/ports/job-store.ts";
import { toJob } from "./job-rows.ts";
import type { RecordDatabase } from "./record-database.ts";
import type { RecordTables } from "./tables.ts";

/** Puts events into the outbox as a part of `trx`. */
export type AppendEvents = (
  trx: Transaction<RecordTables>,
  events: readonly OutgoingEvent[],
) => Promise<void>;

/** Jobs in the record database. */
export function createJobStore(database: RecordDatabase, appendEvents: AppendEvents): JobStore {
  const { db } = database;
  return {
    description: database.description,
    create: async ({ id, owner, request, idempotencyKey, createdAtMs, expiresAtMs }) => {
      const inserted = await db
        .insertInto("jobs")
        .values({
          ...{ id, owner, state: "receiving", request: JSON.stringify(request) },
          idempotency_key: idempotencyKey ?? null,
          ...{ total_rows: 0, done_rows: 0, failed_rows: 0, chunks: 0, round: 0 },
          ...{ created_at_ms: createdAtMs, expires_at_ms: expiresAtMs },
        })
        .onConflict((conflict) => conflict.columns(["owner", "idempotency_key"]).doNothing())
        .returningAll()
        .executeTakeFirst();
      if (inserted !== undefined) return { job: toJob(inserted), isNew: true };
      const known = await db
        .selectFrom("jobs")
        .selectAll()
        .where("owner", "=", owner)
        .where("idempotency_key", "=", idempotencyKey ?? "")
        .executeTakeFirstOrThrow();
      return { job: toJob(known), isNew: false };
    },
    find: async (id) => {
      const row = await db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? undefined : toJob(row);
    },
    list: async ({ owner, states, after, expiredAtMs, limit }) => {
      let query = db.selectFrom("jobs").selectAll().orderBy("id", "desc").limit(limit);
      if (owner !== undefined) query = query.where("owner", "=", owner);
      if (states !== undefined) query = query.where("state", "in", [...states]);
      if (after !== undefined) query = query.where("id", "<", after);
      if (expiredAtMs !== undefined) query = query.where("expires_at_ms", "<=", expiredAtMs);
      return (await query.execute()).map(toJob);
    },
    transition: (id, from, change, events = []) =>
      database.transact(async (trx) => {
        const { to, inputDigest, startedAtMs, finishedAtMs, expiresAtMs, failure } = change;
        const row = await trx
          .updateTable("jobs")
          .set({
            state: to,
            ...(inputDigest !== undefined && { input_digest: inputDigest }),
            ...(startedAtMs !== undefined && { started_at_ms: startedAtMs }),
            ...(finishedAtMs !== undefined && { finished_at_ms: finishedAtMs }),
            ...(expiresAtMs !== undefined && { expires_at_ms: expiresAtMs }),
            ...(failure !== undefined && { failure }),
          })
          .where("id", "=", id)
          .where("state", "in", [...from])
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) return undefined;
        if (events.length > 0) await appendEvents(trx, events);
        return toJob(row);
      }),
    remove: (id, events = []) =>
      database.transact(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom("jobs")
          .where("id", "=", id)
          .executeTakeFirstOrThrow();
        if (numDeletedRows === 0n) return false;
        if (events.length > 0) await appendEvents(trx, events);
        return true;
      }),
  };
}
