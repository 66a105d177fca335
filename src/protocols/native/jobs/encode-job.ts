import type { Job } from "../../../core/jobs/job.ts";
import { isFinished } from "../../../core/jobs/job-state.ts";

/** A job as callers see it. */
export function toWireJob(job: Job, epochMs: number) {
  const { request, totalRows, doneRows, failedRows } = job;
  const timeOf = (ms: number | undefined) => (ms === undefined ? null : new Date(ms).toISOString());
  return {
    id: job.id,
    state: job.state,
    model: request.model ?? null,
    model_version: request.version ?? null,
    rows: { total: totalRows, done: doneRows, failed: failedRows },
    progress: totalRows === 0 ? 0 : Math.floor((doneRows / totalRows) * 10_000) / 10_000,
    ...toPace(job, epochMs),
    created_at: timeOf(job.createdAtMs),
    started_at: timeOf(job.startedAtMs),
    finished_at: timeOf(job.finishedAtMs),
    expires_at: timeOf(job.expiresAtMs),
    webhook_url: request.webhookUrl ?? null,
    idempotency_key: job.idempotencyKey ?? null,
    failure: job.failure ?? null,
  };
}

/** How fast a job goes since it began, and how long the rest takes at that pace; null while nobody can tell. */
function toPace({ state, startedAtMs, finishedAtMs, totalRows, doneRows }: Job, epochMs: number) {
  const unknown = { rows_per_second: null, eta_seconds: isFinished(state) ? 0 : null };
  if (startedAtMs === undefined || doneRows === 0) return unknown;
  const seconds = ((finishedAtMs ?? epochMs) - startedAtMs) / 1000;
  if (seconds <= 0) return unknown;
  const rate = doneRows / seconds;
  const restSeconds = Math.ceil((totalRows - doneRows) / rate);
  return {
    rows_per_second: Math.round(rate * 10) / 10,
    eta_seconds: isFinished(state) ? 0 : restSeconds,
  };
}

/** Body of answers about one job. */
export function encodeJob(job: Job, epochMs: number): string {
  return JSON.stringify(toWireJob(job, epochMs));
}

/** Body of `GET /v1/jobs`. `next` is what to send as `after` for the following page. */
export function encodeJobList(jobs: readonly Job[], limit: number, epochMs: number): string {
  const next = jobs.length < limit ? null : (jobs.at(-1)?.id ?? null);
  return JSON.stringify({ jobs: jobs.map((job) => toWireJob(job, epochMs)), next });
}
