import type { InferenceOptions } from "../inference/request.ts";

/**
 * Where a job is. `receiving`: its rows are still coming in, no worker may start; `queued`: complete, not begun;
 * `running`: at least one chunk was begun; `completed`: every row has an answer or its own error; `failed`: the job as a
 * whole cannot go on, e.g. because its model is gone; `cancelled`: a caller ended it.
 */
export type JobState = "receiving" | "queued" | "running" | "completed" | "failed" | "cancelled";

/** What a caller asked for. */
export interface JobRequest {
  /** `undefined` = the default model. */
  readonly model: string | undefined;
  /** `undefined` = whichever version serves when a chunk runs. */
  readonly version: string | undefined;
  readonly options: InferenceOptions;
  /** Address that is told when the job ends. */
  readonly webhookUrl: string | undefined;
}

/** A set of texts that are answered without anybody waiting. Times are milliseconds since the Unix epoch. */
export interface Job {
  /** `job_` and 26 characters that sort by time of creation (a ULID). */
  readonly id: string;
  readonly state: JobState;
  /** Id of the caller whose job it is. */
  readonly owner: string;
  readonly request: JobRequest;
  readonly idempotencyKey: string | undefined;
  /** Lower-case hex SHA-256 of the request and its rows; undefined while they come in. Tells a repeated submission from another one. */
  readonly inputDigest: string | undefined;
  readonly totalRows: number;
  /** Rows that have an answer or an error. */
  readonly doneRows: number;
  /** Rows that have an error. */
  readonly failedRows: number;
  readonly chunks: number;
  /** How often its failed rows were asked for again; from 0. */
  readonly round: number;
  readonly createdAtMs: number;
  readonly startedAtMs: number | undefined;
  readonly finishedAtMs: number | undefined;
  /** When it is removed with its rows. */
  readonly expiresAtMs: number;
  /** Why it failed, for its owner. */
  readonly failure: string | undefined;
}
