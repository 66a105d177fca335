import type { Transaction } from "kysely";
import type { ChunkResult, JobChunk, JobChunkStore } from "../../core/ports/job-store.ts";
import { toJob } from "./job-rows.ts";
import type { RecordDatabase } from "./record-database.ts";
import type { RecordTables } from "./tables.ts";

/** The rows of jobs in the record database, next to the jobs. */
export function createJobChunkStore(database: RecordDatabase): JobChunkStore {
  const { db } = database;
  return {
    add: (jobId, { index, firstRow, rows, input }) =>
      database.transact(async (trx) => {
        const { numUpdatedRows } = await trx
          .updateTable("jobs")
          .set((eb) => ({
            total_rows: eb("total_rows", "+", rows),
            chunks: eb("chunks", "+", 1),
          }))
          .where("id", "=", jobId)
          .where("state", "=", "receiving")
          .executeTakeFirstOrThrow();
        if (numUpdatedRows === 0n) return false;
        await trx
          .insertInto("job_chunks")
          .values({
            job_id: jobId,
            position: index,
            first_row: firstRow,
            row_count: rows,
            ...{ input, failed_rows: 0, done_round: -1 },
          })
          .execute();
        return true;
      }),
    read: async (jobId, index) => {
      const row = await db
        .selectFrom("job_chunks")
        .selectAll()
        .where("job_id", "=", jobId)
        .where("position", "=", index)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      return { ...toChunk(row), input: row.input, results: row.results ?? undefined };
    },
    finish: async (jobId, result) => {
      try {
        return await database.transact((trx) => finishChunk(trx, jobId, result));
      } catch (thrown) {
        if (thrown instanceof NotWanted) return false;
        throw thrown;
      }
    },
    listUnfinished: async (jobId, after, limit) => {
      const rows = await db
        .selectFrom("job_chunks")
        .innerJoin("jobs", "jobs.id", "job_chunks.job_id")
        .select(["position", "first_row", "row_count", "done_round"])
        .where("job_id", "=", jobId)
        .where("position", ">", after)
        .whereRef("done_round", "<", "jobs.round")
        .orderBy("position")
        .limit(limit)
        .execute();
      return rows.map(toChunk);
    },
    reopenFailed: (jobId, expiresAtMs) =>
      database.transact(async (trx) => {
        const job = await trx
          .updateTable("jobs")
          .set((eb) => ({
            state: "queued",
            round: eb("round", "+", 1),
            done_rows: eb("done_rows", "-", eb.ref("failed_rows")),
            failed_rows: 0,
            finished_at_ms: null,
            expires_at_ms: expiresAtMs,
          }))
          .where("id", "=", jobId)
          .where("state", "=", "completed")
          .where("failed_rows", ">", 0)
          .returningAll()
          .executeTakeFirst();
        if (job === undefined) return undefined;
        await trx
          .updateTable("job_chunks")
          .set({ done_round: job.round })
          .where("job_id", "=", jobId)
          .where("failed_rows", "=", 0)
          .execute();
        return toJob(job);
      }),
  };
}

/** Undoes what the transaction has written so far. */
class NotWanted extends Error {}

async function finishChunk(
  trx: Transaction<RecordTables>,
  jobId: string,
  { index, round, results, failedRows }: ChunkResult,
): Promise<boolean> {
  const before = await trx
    .selectFrom("job_chunks")
    .select(["row_count", "failed_rows", "done_round"])
    .where("job_id", "=", jobId)
    .where("position", "=", index)
    .executeTakeFirst();
  if (before === undefined || before.done_round >= round) return false;
  const { numUpdatedRows: chunks } = await trx
    .updateTable("job_chunks")
    .set({ results, failed_rows: failedRows, done_round: round })
    .where("job_id", "=", jobId)
    .where("position", "=", index)
    // Another worker may have been faster since it was looked at.
    .where("done_round", "=", before.done_round)
    .executeTakeFirstOrThrow();
  if (chunks === 0n) return false;
  // In a later round only the rows that had failed were taken out of the count.
  const counted = before.done_round < 0 ? before.row_count : before.failed_rows;
  const { numUpdatedRows: jobs } = await trx
    .updateTable("jobs")
    .set((eb) => ({
      done_rows: eb("done_rows", "+", counted),
      failed_rows: eb("failed_rows", "+", failedRows),
    }))
    .where("id", "=", jobId)
    .where("state", "=", "running")
    .where("round", "=", round)
    .executeTakeFirstOrThrow();
  if (jobs === 0n) throw new NotWanted();
  return true;
}

interface ChunkRow {
  readonly position: number;
  readonly first_row: number;
  readonly row_count: number;
  readonly done_round: number;
}

function toChunk({ position, first_row, row_count, done_round }: ChunkRow): JobChunk {
  return { index: position, firstRow: first_row, rows: row_count, doneRound: done_round };
}
