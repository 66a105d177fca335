import type { Transaction } from "kysely";
import { sql } from "kysely";
import type { CloudEvent } from "../../core/events/cloud-event.ts";
import type {
  EventOutbox,
  FailedDelivery,
  LeasedDelivery,
  OutgoingEvent,
} from "../../core/ports/event-outbox.ts";
import type { RecordDatabase } from "./record-database.ts";
import type { RecordTables } from "./tables.ts";

export interface EventOutboxOptions {
  /** Milliseconds since the Unix epoch. Processes that share the table should agree on it within a second. */
  readonly epochMs: () => number;
  /** How long delivered events are remembered, by their ids, so that the same event is not sent again. Default: a day. */
  readonly deliveredRetentionMs?: number;
  /** How long deliveries that were given up stay in the list. Default: 30 days. */
  readonly failedRetentionMs?: number;
}

const DAY_MS = 24 * 3_600_000;
const CLEAN_INTERVAL_MS = 60_000;
/** Rows of one statement: databases bound the number of its parameters. */
const ROWS_AT_ONCE = 500;
/** Rows that one cleaning removes at most, so that it keeps nobody waiting. */
const CLEANED_AT_ONCE = 10_000;

/**
 * Events in two tables of the record database. Leases end by the clock. Now and then `take` removes what is older than the
 * retention, in small portions.
 */
export function createEventOutbox(
  database: RecordDatabase,
  options: EventOutboxOptions,
): EventOutbox {
  const { epochMs, deliveredRetentionMs = DAY_MS, failedRetentionMs = 30 * DAY_MS } = options;
  const { db } = database;
  let cleanedMs = 0;
  const cleanNowAndThen = async () => {
    const nowMs = epochMs();
    if (nowMs - cleanedMs < CLEAN_INTERVAL_MS) return;
    cleanedMs = nowMs;
    await removeOld(database, nowMs - deliveredRetentionMs, nowMs - failedRetentionMs);
  };
  /** The row of a lease that has not been lost. */
  const updateLeased = ({ event, destination, attempt }: LeasedDelivery) =>
    db
      .updateTable("deliveries")
      .where("event_id", "=", event.id)
      .where("destination", "=", destination)
      .where("attempts", "=", attempt)
      .where("state", "=", "waiting");
  return {
    description: `a table of ${database.description}`,
    append: (events) => database.transact((trx) => appendEvents(trx, events)),
    take: async (max, leaseMs, except = []) => {
      await cleanNowAndThen();
      return await takeDue(database, { max, leaseMs, except, nowMs: epochMs() });
    },
    delivered: async ({ event, destination }) => {
      // Whoever has the lease now: the receiver has it.
      await db
        .updateTable("deliveries")
        .set({ state: "delivered", changed_at_ms: epochMs() })
        .where("event_id", "=", event.id)
        .where("destination", "=", destination)
        .where("state", "=", "waiting")
        .execute();
    },
    retry: async (delivery, delayMs) => {
      const nowMs = epochMs();
      await updateLeased(delivery)
        .set({ visible_at_ms: nowMs + delayMs, changed_at_ms: nowMs })
        .execute();
    },
    fail: async (delivery, reason) => {
      await updateLeased(delivery)
        .set({ state: "failed", reason, changed_at_ms: epochMs() })
        .execute();
    },
    listFailed: async (limit) => {
      const rows = await db
        .selectFrom("deliveries")
        .innerJoin("events", "events.id", "deliveries.event_id")
        .select(["event", "destination", "attempts", "reason", "changed_at_ms"])
        .where("state", "=", "failed")
        .orderBy("changed_at_ms", "desc")
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map(
        (row): FailedDelivery => ({
          ...toLeased(row),
          reason: row.reason ?? "",
          failedAtMs: row.changed_at_ms,
        }),
      );
    },
    count: async () => {
      const rows = await db
        .selectFrom("deliveries")
        .select((eb) => ["state", eb.fn.countAll<number>().as("deliveries")])
        .where("state", "in", ["waiting", "failed"])
        .groupBy("state")
        .execute();
      const of = (state: string) => rows.find((row) => row.state === state)?.deliveries ?? 0;
      return { waiting: of("waiting"), failed: of("failed") };
    },
  };
}

/**
 * Puts events into the outbox as a part of `trx`: they are there when it commits, and never without it. An event whose id is
 * there already is passed over with all its destinations.
 */
export async function appendEvents(
  trx: Transaction<RecordTables>,
  events: readonly OutgoingEvent[],
): Promise<void> {
  // In the order of their ids, so that two that write the same events do not wait for each other.
  const unique = [...new Map(events.map((one) => [one.event.id, one])).values()];
  for (let at = 0; at < unique.length; at += ROWS_AT_ONCE) {
    const some = unique.slice(at, at + ROWS_AT_ONCE);
    const sorted = some.toSorted((a, b) => (a.event.id < b.event.id ? -1 : 1));
    const inserted = await trx
      .insertInto("events")
      .values(sorted.map(({ event }) => toEventRow(event)))
      .onConflict((conflict) => conflict.column("id").doNothing())
      .returning("id")
      .execute();
    const added = new Set(inserted.map(({ id }) => id));
    const rows = some
      .filter(({ event }) => added.has(event.id))
      .flatMap(({ event, destinations }) =>
        [...new Set(destinations)].map((destination) => toDeliveryRow(event, destination)),
      );
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      const portion = rows.slice(from, from + ROWS_AT_ONCE);
      await trx.insertInto("deliveries").values(portion).execute();
    }
  }
}

function toEventRow(event: CloudEvent) {
  return { id: event.id, event: JSON.stringify(event), created_at_ms: Date.parse(event.time) };
}

function toDeliveryRow(event: CloudEvent, destination: string) {
  return {
    event_id: event.id,
    destination,
    state: "waiting",
    attempts: 0,
    visible_at_ms: 0,
    changed_at_ms: Date.parse(event.time),
  };
}

interface TakeOptions {
  readonly max: number;
  readonly leaseMs: number;
  readonly except: readonly string[];
  readonly nowMs: number;
}

function takeDue(
  database: RecordDatabase,
  { max, leaseMs, except, nowMs }: TakeOptions,
): Promise<readonly LeasedDelivery[]> {
  return database.transact(async (trx) => {
    const destinations = await trx
      .selectFrom("deliveries")
      .select((eb) => ["destination", eb.fn.min("sequence").as("first")])
      .where("state", "=", sql.lit("waiting"))
      .where("visible_at_ms", "<=", nowMs)
      .$if(except.length > 0, (query) => query.where("destination", "not in", [...except]))
      .groupBy("destination")
      .orderBy("first")
      .limit(max)
      .execute();
    const share = Math.max(1, Math.floor(max / Math.max(1, destinations.length)));
    const taken: LeasedDelivery[] = [];
    for (const { destination } of destinations) {
      const due = trx
        .selectFrom("deliveries")
        .select("sequence")
        .where("state", "=", sql.lit("waiting"))
        .where("destination", "=", destination)
        .where("visible_at_ms", "<=", nowMs)
        .orderBy("sequence")
        .limit(share);
      // What another process is just taking is passed over. SQLite has one writer at a time, and no such words.
      const free = database.dialect === "postgres" ? due.forUpdate().skipLocked() : due;
      const rows = await trx
        .updateTable("deliveries")
        .set((eb) => ({
          visible_at_ms: nowMs + leaseMs,
          attempts: eb("attempts", "+", 1),
          changed_at_ms: nowMs,
        }))
        .where("sequence", "in", free)
        .returning([
          "sequence",
          "destination",
          "attempts",
          sql<string>`(select event from events where events.id = deliveries.event_id)`.as("event"),
        ])
        .execute();
      taken.push(...rows.toSorted((a, b) => a.sequence - b.sequence).map(toLeased));
    }
    return taken;
  });
}

function toLeased(row: {
  readonly event: string;
  readonly destination: string;
  readonly attempts: number;
}): LeasedDelivery {
  const event: CloudEvent = JSON.parse(row.event);
  return { event, destination: row.destination, attempt: row.attempts };
}

/** Deliveries first, then the events that nobody is to get any more. */
async function removeOld(
  { db }: RecordDatabase,
  deliveredBeforeMs: number,
  failedBeforeMs: number,
): Promise<void> {
  const limits = [
    ["delivered", deliveredBeforeMs],
    ["failed", failedBeforeMs],
  ] as const;
  for (const [state, beforeMs] of limits) {
    const old = db
      .selectFrom("deliveries")
      .select("sequence")
      .where("state", "=", state)
      .where("changed_at_ms", "<", beforeMs)
      .limit(CLEANED_AT_ONCE);
    await db.deleteFrom("deliveries").where("sequence", "in", old).execute();
  }
  const done = db
    .selectFrom("events")
    .select("id")
    .where("created_at_ms", "<", deliveredBeforeMs)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom("deliveries")
            .select("sequence")
            .whereRef("deliveries.event_id", "=", "events.id"),
        ),
      ),
    )
    .limit(CLEANED_AT_ONCE);
  await db.deleteFrom("events").where("id", "in", done).execute();
}
