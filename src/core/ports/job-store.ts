import type { Job, JobRequest, JobState } from "../jobs/job.ts";
import type { OutgoingEvent } from "./event-outbox.ts";

export interface NewJob {
  readonly id: string;
  readonly owner: string;
  readonly request: JobRequest;
  readonly idempotencyKey: string | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

/** What a change of state sets beside the state. */
export interface JobChange {
  readonly to: JobState;
  readonly inputDigest?: string;
  readonly startedAtMs?: number;
  readonly finishedAtMs?: number;
  readonly expiresAtMs?: number;
  readonly failure?: string;
}

/** Which part of the jobs to list, newest first. */
export interface JobRange {
  /** `undefined` = of everybody. */
  readonly owner?: string;
  readonly states?: readonly JobState[];
  /** Only jobs behind this id in the list. */
  readonly after?: string;
  /** Only jobs that expire at or before this time. */
  readonly expiredAtMs?: number;
  /** 1 to 1000. */
  readonly limit: number;
}

/**
 * Keeps jobs, durably: what a settled call wrote survives the end of the process.
 *
 * Concurrency: calls may overlap freely, from any number of processes; every method is atomic.
 * Errors: SluiceError `unavailable` while the store cannot be reached.
 */
export interface JobStore {
  readonly description: string;
  /**
   * Stores a job in state `receiving`, without rows. When its owner has one with the same idempotency key already,
   * nothing is stored and that one is the answer.
   */
  create(job: NewJob): Promise<{ readonly job: Job; readonly isNew: boolean }>;
  find(id: string): Promise<Job | undefined>;
  list(range: JobRange): Promise<readonly Job[]>;
  /**
   * Changes a job that is in one of the states `from`, and appends `events` to the outbox in the same transaction.
   *
   * @returns the job afterwards; undefined, and nothing is written, when there is none in such a state
   */
  transition(
    id: string,
    from: readonly JobState[],
    change: JobChange,
    events?: readonly OutgoingEvent[],
  ): Promise<Job | undefined>;
  /** Removes a job with its chunks, and appends `events` in the same transaction; false, and nothing is written, when there is none. */
  remove(id: string, events?: readonly OutgoingEvent[]): Promise<boolean>;
}

/** A run of consecutive rows of a job: what a worker does at once. */
export interface JobChunk {
  /** From 0, without gaps once the job is `queued`. */
  readonly index: number;
  /** Index of its first row in the job, from 0. */
  readonly firstRow: number;
  readonly rows: number;
  /** The round for which it has results; -1 while it has none. */
  readonly doneRound: number;
}

/** What a worker made of a chunk. */
export interface ChunkResult {
  readonly index: number;
  /** The job's round that it was done for. */
  readonly round: number;
  /** As the core encodes it; all rows of the chunk, in order. */
  readonly results: string;
  readonly failedRows: number;
}

/**
 * Keeps the rows of jobs, by chunk. Same promises as `JobStore`; a driver of both keeps them in one transaction where a
 * method says so. What is in `input` and `results` is opaque to it, without NUL characters or lone surrogates, at most 16 MiB each.
 */
export interface JobChunkStore {
  /**
   * Stores a chunk of a job in state `receiving` and adds its rows to the job's `totalRows` and `chunks`.
   *
   * @returns false when the job is in another state, or there is none; nothing is written
   */
  add(
    jobId: string,
    chunk: Omit<JobChunk, "doneRound"> & { readonly input: string },
  ): Promise<boolean>;
  /** A chunk with its input, and its results where it has any (perhaps those of an earlier round). */
  read(
    jobId: string,
    index: number,
  ): Promise<
    (JobChunk & { readonly input: string; readonly results: string | undefined }) | undefined
  >;
  /**
   * Stores the results of a chunk once: not when the job is not `running`, nor when the chunk has results for this round or
   * a later one, nor when the job's round is another. Counts its rows into the job's `doneRows` and `failedRows`, in the same transaction.
   *
   * @returns whether they were stored
   */
  finish(jobId: string, result: ChunkResult): Promise<boolean>;
  /** Chunks without results for the job's present round, by index, from the first behind `after`; at most `limit`. */
  listUnfinished(jobId: string, after: number, limit: number): Promise<readonly JobChunk[]>;
  /**
   * Begins another round with the failed rows of a `completed` job: its round grows by one, it is `queued`, chunks without a failed row count
   * as done for the new round, those with failed rows do not, and their failed rows are taken out of `doneRows` and `failedRows`.
   *
   * @returns the job afterwards; undefined, and nothing is written, when it is not `completed` or has no failed rows
   */
  reopenFailed(jobId: string, expiresAtMs: number): Promise<Job | undefined>;
}
