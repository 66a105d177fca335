import type { Selectable } from "kysely";
import type { Job, JobState } from "../../core/jobs/job.ts";
import type { JobsTable } from "./tables.ts";

/** A job as its row says it. */
export function toJob(row: Selectable<JobsTable>): Job {
  return {
    id: row.id,
    state: row.state as JobState,
    owner: row.owner,
    request: parseRequest(row.request),
    idempotencyKey: row.idempotency_key ?? undefined,
    inputDigest: row.input_digest ?? undefined,
    totalRows: row.total_rows,
    doneRows: row.done_rows,
    failedRows: row.failed_rows,
    chunks: row.chunks,
    round: row.round,
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms ?? undefined,
    finishedAtMs: row.finished_at_ms ?? undefined,
    expiresAtMs: row.expires_at_ms,
    failure: row.failure ?? undefined,
  };
}

/** JSON leaves out what is undefined, and the domain names it. */
function parseRequest(json: string): Job["request"] {
  const { model, version, options, webhookUrl } = JSON.parse(json);
  const { topK, functionToApply, abstainBelow } = options;
  return { model, version, options: { topK, functionToApply, abstainBelow }, webhookUrl };
}
