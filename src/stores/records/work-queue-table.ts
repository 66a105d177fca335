import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { LeasedWork, WorkCounts, WorkLane, WorkQueue } from "../../core/ports/work-queue.ts";
import { WORK_LANES } from "../../core/ports/work-queue.ts";
import { assertWorkFits } from "../queues/assert-work-fits.ts";
import type { RecordDatabase } from "./record-database.ts";

export interface TableQueueOptions {
  /** Milliseconds since the Unix epoch. Processes that share the table should agree on it within a second. */
  readonly epochMs: () => number;
  /** How often to look for work that another process added, or whose delay has passed. */
  readonly pollMs: number;
}

/** Messages of one statement: databases bound the number of its parameters. */
const MESSAGES_AT_ONCE = 500;
/** How long the ids of finished work are remembered. */
const REMEMBER_MS = 10 * 60_000;
/** After so many turns one is given to the lower lanes. */
const TURNS = 8;

/**
 * Work in a table of the record database. Leases end by the clock; each has a name of its own, so that a worker that lost
 * one cannot settle what another does now.
 */
export function createTableWorkQueue(
  database: RecordDatabase,
  { epochMs, pollMs }: TableQueueOptions,
): WorkQueue {
  const { db } = database;
  const sleepers = new Set<() => void>();
  let isClosed = false;
  let turn = 0;
  let cleanedMs = 0;

  /** Settles a lease; false when it was lost. */
  const settle = async (id: string, lease: string, set: Record<string, unknown>) => {
    const { numUpdatedRows } = await db
      .updateTable("work_messages")
      .set({ lease: null, changed_at_ms: epochMs(), ...set })
      .where("id", "=", id)
      .where("lease", "=", lease)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  };
  const toLeased = (row: TakenRow, lease: string, leaseMs: number): LeasedWork => ({
    id: row.id,
    lane: row.lane as WorkLane,
    body: row.body,
    attempt: row.attempts,
    extend: async () => {
      const { numUpdatedRows } = await db
        .updateTable("work_messages")
        .set({ visible_at_ms: epochMs() + leaseMs })
        .where("id", "=", row.id)
        .where("lease", "=", lease)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
    done: async () => void (await settle(row.id, lease, { state: "done" })),
    retry: async (delayMs) =>
      void (await settle(row.id, lease, { visible_at_ms: epochMs() + delayMs })),
    bury: async (reason) => void (await settle(row.id, lease, { state: "dead", reason })),
  });
  const takeOnce = async (max: number, leaseMs: number): Promise<readonly LeasedWork[]> => {
    const nowMs = epochMs();
    const lease = randomUUID();
    const order = ++turn % TURNS === 0 ? [...WORK_LANES].reverse() : WORK_LANES;
    const rows = await database.transact(async (trx) => {
      const due = trx
        .selectFrom("work_messages")
        .select("sequence")
        .where("state", "=", "waiting")
        .where("visible_at_ms", "<=", nowMs)
        .orderBy(sql`case lane when ${order[0]} then 0 when ${order[1]} then 1 else 2 end`)
        .orderBy("sequence")
        .limit(max);
      // What another process is just taking is passed over. SQLite has one writer at a time, and no such words.
      const free = database.dialect === "postgres" ? due.forUpdate().skipLocked() : due;
      return await trx
        .updateTable("work_messages")
        .set((eb) => ({
          lease,
          visible_at_ms: nowMs + leaseMs,
          attempts: eb("attempts", "+", 1),
          changed_at_ms: nowMs,
        }))
        .where("sequence", "in", free)
        .returning(["sequence", "id", "lane", "body", "attempts"])
        .execute();
    });
    return rows
      .toSorted(
        (a, b) =>
          order.indexOf(a.lane as WorkLane) - order.indexOf(b.lane as WorkLane) ||
          a.sequence - b.sequence,
      )
      .map((row) => toLeased(row, lease, leaseMs));
  };
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      sleepers.add(wake);
    });
  const wakeAll = () => {
    for (const wake of [...sleepers]) wake();
  };
  const forgetFinished = async () => {
    const nowMs = epochMs();
    if (nowMs - cleanedMs < REMEMBER_MS / 10) return;
    cleanedMs = nowMs;
    await db
      .deleteFrom("work_messages")
      .where("state", "=", "done")
      .where("changed_at_ms", "<", nowMs - REMEMBER_MS)
      .execute();
  };

  return {
    description: `a table of ${database.description}`,
    add: async (messages) => {
      messages.forEach(assertWorkFits);
      for (let at = 0; at < messages.length; at += MESSAGES_AT_ONCE) {
        const some = messages.slice(at, at + MESSAGES_AT_ONCE);
        await db
          .insertInto("work_messages")
          .values(some.map(({ id, lane, body }) => ({ id, lane, body, ...toNew(epochMs()) })))
          .onConflict((conflict) => conflict.column("id").doNothing())
          .execute();
      }
      wakeAll();
    },
    take: async ({ max, waitMs, leaseMs }) => {
      const untilMs = epochMs() + waitMs;
      for (;;) {
        if (isClosed) return [];
        const taken = await takeOnce(max, leaseMs);
        const restMs = untilMs - epochMs();
        if (taken.length > 0 || restMs <= 0 || isClosed) return taken;
        await forgetFinished();
        await sleep(Math.min(pollMs, restMs));
      }
    },
    count: async (): Promise<WorkCounts> => {
      const nowMs = epochMs();
      const rows = await db
        .selectFrom("work_messages")
        .select((eb) => [
          "state",
          eb
            .case()
            .when(eb.and([eb("lease", "is not", null), eb("visible_at_ms", ">", nowMs)]))
            .then(1)
            .else(0)
            .end()
            .as("is_leased"),
          eb.fn.countAll<number>().as("messages"),
        ])
        .where("state", "in", ["waiting", "dead"])
        .groupBy(["state", "is_leased"])
        .execute();
      const sum = (state: string, isLeased: 0 | 1) =>
        rows
          .filter((row) => row.state === state && row.is_leased === isLeased)
          .reduce((total, row) => total + row.messages, 0);
      return {
        waiting: sum("waiting", 0),
        leased: sum("waiting", 1),
        dead: sum("dead", 0) + sum("dead", 1),
      };
    },
    listDead: async (limit) => {
      const rows = await db
        .selectFrom("work_messages")
        .selectAll()
        .where("state", "=", "dead")
        .orderBy("changed_at_ms", "desc")
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        id: row.id,
        lane: row.lane as WorkLane,
        body: row.body,
        attempts: row.attempts,
        reason: row.reason ?? "",
        buriedAtMs: row.changed_at_ms,
      }));
    },
    revive: async (id) => {
      const { numUpdatedRows } = await db
        .updateTable("work_messages")
        .set({ ...toNew(epochMs()), reason: null })
        .where("id", "=", id)
        .where("state", "=", "dead")
        .executeTakeFirstOrThrow();
      if (numUpdatedRows > 0n) wakeAll();
      return numUpdatedRows > 0n;
    },
    close: async () => {
      isClosed = true;
      wakeAll();
    },
  };
}

interface TakenRow {
  readonly id: string;
  readonly lane: string;
  readonly body: string;
  readonly attempts: number;
}

function toNew(nowMs: number) {
  return { state: "waiting", attempts: 0, lease: null, visible_at_ms: 0, changed_at_ms: nowMs };
}
