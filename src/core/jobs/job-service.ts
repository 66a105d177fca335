import { SluiceError } from "../errors.ts";
import type { JobRange } from "../ports/job-store.ts";
import type { Job, JobState } from "./job.ts";
import type { JobLimits } from "./job-settings.ts";
import { describeConflict, isFinished, listStatesBefore } from "./job-state.ts";
import type { RowResult } from "./row-result.ts";
import { decodeRowResults } from "./row-result.ts";
import type { JobStores, Submission, Submitted } from "./submit-job.ts";
import { enqueueChunks, submitJob } from "./submit-job.ts";

/** What callers do with jobs. Every method takes the caller's id: nobody sees the jobs of others. */
export interface JobService {
  /** @throws SluiceError see `submitJob` */
  submit(submission: Submission): Promise<Submitted>;
  /** @throws SluiceError `not_found` */
  find(owner: string, id: string): Promise<Job>;
  /** Newest first. */
  list(owner: string, range: Pick<JobRange, "states" | "after" | "limit">): Promise<readonly Job[]>;
  /**
   * Ends a job; rows that were answered keep their results. One that is cancelled already stays so.
   *
   * @throws SluiceError `not_found`; `conflict` when it ended in another way
   */
  cancel(owner: string, id: string): Promise<Job>;
  /**
   * Asks for the failed rows of a completed job again.
   *
   * @throws SluiceError `not_found`; `conflict` when it is not completed or has no failed rows
   */
  retryFailed(owner: string, id: string): Promise<Job>;
  /** Removes a finished job. @throws SluiceError `not_found`; `conflict` while it runs */
  remove(owner: string, id: string): Promise<void>;
  /**
   * The results of a finished job, one list per chunk, in the order of the rows. A job that ended early has those that there are.
   *
   * @throws SluiceError `not_found`; `conflict` while it runs
   */
  results(owner: string, id: string): Promise<AsyncIterable<JobResults>>;
}

/** Results of consecutive rows. */
export interface JobResults {
  /** Index of the first one's row in the job, from 0. */
  readonly firstRow: number;
  readonly results: readonly RowResult[];
}

const CANCELLABLE: readonly JobState[] = listStatesBefore("cancelled");

export function createJobService(stores: JobStores, limits: JobLimits): JobService {
  const { jobs, chunks } = stores;
  const find = async (owner: string, id: string): Promise<Job> => {
    const job = await jobs.find(id);
    // A job of somebody else looks like one that does not exist.
    if (job?.owner === owner) return job;
    const message = `There is no job ${id.slice(0, 64)}; GET /v1/jobs lists yours.`;
    throw new SluiceError("not_found", message, {
      details: [{ field: "id", problem: "is not the id of one of your jobs" }],
    });
  };
  return {
    submit: (submission) => submitJob(submission, stores, limits),
    find,
    list: (owner, range) => jobs.list({ ...range, owner }),
    cancel: async (owner, id) => {
      const job = await find(owner, id);
      if (job.state === "cancelled") return job;
      const finishedAtMs = stores.epochMs();
      const expiresAtMs = finishedAtMs + limits.retentionMs;
      const change = { to: "cancelled", finishedAtMs, expiresAtMs } as const;
      const after: Job = { ...job, state: "cancelled", finishedAtMs, expiresAtMs };
      const told = stores.events.ended(after);
      const cancelled = await jobs.transition(id, CANCELLABLE, change, told);
      if (cancelled !== undefined) return cancelled;
      throw describeConflict(await find(owner, id), "cancelled", "it has ended");
    },
    retryFailed: async (owner, id) => {
      const job = await find(owner, id);
      const reopened = await chunks.reopenFailed(id, stores.epochMs() + limits.maxAgeMs);
      if (reopened === undefined) {
        const fix = "only a completed job with failed rows can";
        throw describeConflict(job, "tried again", fix);
      }
      await enqueueChunks(reopened, stores).catch(() => {});
      return reopened;
    },
    remove: async (owner, id) => {
      const job = await find(owner, id);
      if (!isFinished(job.state)) throw describeConflict(job, "removed", "cancel it first");
      await jobs.remove(id);
    },
    results: async (owner, id) => {
      const job = await find(owner, id);
      if (isFinished(job.state)) return readResults(job, stores);
      throw describeConflict(job, "read", "its results are there once it has ended");
    },
  };
}

async function* readResults(job: Job, { chunks }: JobStores): AsyncIterable<JobResults> {
  for (let index = 0; index < job.chunks; index++) {
    const chunk = await chunks.read(job.id, index);
    if (chunk === undefined) throw new SluiceError("not_found", "The job was removed meanwhile.");
    if (chunk.results === undefined) continue;
    yield { firstRow: chunk.firstRow, results: decodeRowResults(chunk.results) };
  }
}
