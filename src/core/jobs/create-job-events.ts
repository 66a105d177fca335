import { createEvent } from "../events/create-event.ts";
import type { EventKind, JobEndedData } from "../events/event-data.ts";
import type { OutgoingEvent } from "../ports/event-outbox.ts";
import type { Job } from "./job.ts";
import type { JobEvents } from "./job-events.ts";

export interface JobEventOptions {
  /** URI reference of this server. */
  readonly source: string;
  readonly epochMs: () => number;
  /** Names of the destinations that want a kind; may be none. */
  readonly destinationsOf: (kind: EventKind) => readonly string[];
}

/**
 * Makes the events of jobs. Their ids follow from the job, its state and its round, so that a change that is written again
 * tells nobody twice. The address that a job has of its own is told when the job ends.
 */
export function createJobEvents({ source, epochMs, destinationsOf }: JobEventOptions): JobEvents {
  const tellOnce = (jobId: string, state: "created" | "expired") => {
    const id = `${jobId}-${state}`;
    const subject = `jobs/${jobId}`;
    const kind = `job.${state}` as const;
    const data = { job_id: jobId };
    const event = createEvent({ kind, id, source, subject, epochMs: epochMs(), data });
    return toOutgoing(event, destinationsOf(kind));
  };
  return {
    created: (jobId) => tellOnce(jobId, "created"),
    expired: (jobId) => tellOnce(jobId, "expired"),
    ended: (job) => {
      const { state, webhookUrl } = { ...job, ...job.request };
      if (state !== "completed" && state !== "failed" && state !== "cancelled") return [];
      const kind = `job.${state}` as const;
      const own = webhookUrl === undefined ? [] : [`url:${webhookUrl}`];
      const event = createEvent({
        kind,
        id: `${job.id}-${state}-${job.round}`,
        source,
        subject: `jobs/${job.id}`,
        epochMs: epochMs(),
        data: toEndedData(job),
      });
      return toOutgoing(event, [...destinationsOf(kind), ...own]);
    },
  };
}

function toOutgoing(
  event: OutgoingEvent["event"],
  destinations: readonly string[],
): readonly OutgoingEvent[] {
  return destinations.length === 0 ? [] : [{ event, destinations }];
}

function toEndedData(job: Job): JobEndedData {
  const { finishedAtMs } = job;
  return {
    job_id: job.id,
    model: job.request.model ?? null,
    version: job.request.version ?? null,
    total_rows: job.totalRows,
    done_rows: job.doneRows,
    failed_rows: job.failedRows,
    created_at: new Date(job.createdAtMs).toISOString(),
    finished_at: finishedAtMs === undefined ? null : new Date(finishedAtMs).toISOString(),
    failure: job.failure ?? null,
  };
}
