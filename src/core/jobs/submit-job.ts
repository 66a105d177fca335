import { SluiceError } from "../errors.ts";
import type { JobChunkStore, JobStore } from "../ports/job-store.ts";
import type { WorkMessage, WorkQueue } from "../ports/work-queue.ts";
import type { Job, JobRequest } from "./job.ts";
import type { JobEvents } from "./job-events.ts";
import type { JobRow } from "./job-row.ts";
import { encodeRow } from "./job-row.ts";
import type { JobLimits } from "./job-settings.ts";
import { CHUNK_CHARACTERS } from "./job-settings.ts";
import { toWorkMessage } from "./work-message.ts";

/** What jobs are kept in and told to. */
export interface JobStores {
  readonly jobs: JobStore;
  readonly chunks: JobChunkStore;
  readonly queue: WorkQueue;
  readonly events: JobEvents;
  /** Milliseconds since the Unix epoch. */
  readonly epochMs: () => number;
}

export interface Submission {
  readonly id: string;
  readonly owner: string;
  readonly request: JobRequest;
  readonly idempotencyKey: string | undefined;
  /** The rows in order, some at a time, as they come in. What it throws ends the submission. */
  readonly rows: AsyncIterable<readonly JobRow[]>;
  /** Digest of the request and its rows, once all of them were read. */
  readonly digest: () => string;
}

export interface Submitted {
  readonly job: Job;
  /** False: the same submission was made before, and this is its job. */
  readonly isNew: boolean;
}

/** Messages that the queue gets in one call. */
const MESSAGES_AT_ONCE = 256;

/**
 * Takes a job in. When this resolves, the job with every row of it is durable and will be worked on; when it rejects, there is no job.
 * Memory stays flat however many rows there are.
 *
 * @throws SluiceError `invalid_argument` for no rows, `too_large` for too many, `conflict` when the idempotency key stands for another
 * submission or one that is still coming in; whatever `rows` throws
 */
export async function submitJob(
  submission: Submission,
  stores: JobStores,
  limits: JobLimits,
): Promise<Submitted> {
  const { jobs } = stores;
  const createdAtMs = stores.epochMs();
  const { id, owner, request, idempotencyKey } = submission;
  const { job, isNew } = await jobs.create({
    ...{ id, owner, request, idempotencyKey, createdAtMs },
    expiresAtMs: createdAtMs + limits.receiveTimeoutMs,
  });
  if (!isNew) return { job: await confirmSame(job, submission, limits), isNew };
  try {
    return { job: await receive(submission, stores, limits), isNew };
  } catch (error) {
    // What came in of it is worth nothing without the rest. If this fails too, it expires.
    await jobs.remove(id).catch(() => false);
    throw error;
  }
}

async function receive(submission: Submission, stores: JobStores, limits: JobLimits): Promise<Job> {
  const { id } = submission;
  const builder = new ChunkBuilder(limits.chunkRows);
  const store = async (chunk: BuiltChunk) => {
    if (await stores.chunks.add(id, chunk)) return;
    throw new SluiceError("unavailable", "The job expired while its rows were coming in.");
  };
  for await (const rows of submission.rows) {
    for (const row of rows) {
      const full = builder.add(row);
      if (full !== undefined) await store(full);
      assertRows(builder.rows, limits);
    }
  }
  const last = builder.end();
  if (last !== undefined) await store(last);
  if (builder.rows === 0) throw noRows();

  const change = {
    to: "queued",
    inputDigest: submission.digest(),
    expiresAtMs: stores.epochMs() + limits.maxAgeMs,
  } as const;
  const queued = await stores.jobs.transition(id, ["receiving"], change, stores.events.created(id));
  if (queued === undefined) {
    throw new SluiceError("unavailable", "The job expired while its rows were coming in.");
  }
  // The job is accepted from here on. Should this fail, the sweeper hands the work out.
  await enqueueChunks(queued, stores).catch(() => {});
  return queued;
}

/** Hands out every chunk of a job that has no results for its present round. Doing it twice does no harm. */
export async function enqueueChunks(job: Job, stores: JobStores): Promise<number> {
  let count = 0;
  let after = -1;
  for (;;) {
    const chunks = await stores.chunks.listUnfinished(job.id, after, MESSAGES_AT_ONCE);
    const last = chunks.at(-1);
    if (last === undefined) return count;
    const messages: WorkMessage[] = chunks.map(({ index }) => toWorkMessage(job, index));
    await stores.queue.add(messages);
    count += chunks.length;
    after = last.index;
  }
}

/** Reads the rows of a repeated submission to the end, to see whether it is the same. */
async function confirmSame(job: Job, submission: Submission, limits: JobLimits): Promise<Job> {
  if (job.inputDigest === undefined) {
    const message = `The job ${job.id} with this idempotency key is still coming in; try again later.`;
    throw new SluiceError("conflict", message, { retryAfterMs: 1000 });
  }
  let count = 0;
  for await (const rows of submission.rows) {
    count += rows.length;
    assertRows(count, limits);
  }
  if (submission.digest() === job.inputDigest) return job;
  const message = `The idempotency key belongs to the job ${job.id}, which had other content; use a new key.`;
  throw new SluiceError("conflict", message);
}

function assertRows(rows: number, { maxRows }: JobLimits): void {
  if (rows <= maxRows) return;
  throw new SluiceError("too_large", `A job has at most ${maxRows} rows; split it.`);
}

function noRows(): SluiceError {
  return new SluiceError("invalid_argument", "There are no rows to answer.", {
    details: [{ field: "body", problem: "must hold at least one row" }],
  });
}

interface BuiltChunk {
  readonly index: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly input: string;
}

/** Cuts rows into chunks. */
class ChunkBuilder {
  /** Rows so far, over all chunks. */
  rows = 0;
  readonly #chunkRows: number;
  #index = 0;
  #lines: string[] = [];
  #characters = 0;

  constructor(chunkRows: number) {
    this.#chunkRows = chunkRows;
  }

  /** @returns a chunk that is complete with this row */
  add(row: JobRow): BuiltChunk | undefined {
    const line = encodeRow(row);
    this.#lines.push(line);
    this.#characters += line.length;
    this.rows++;
    const isFull = this.#lines.length >= this.#chunkRows || this.#characters >= CHUNK_CHARACTERS;
    return isFull ? this.end() : undefined;
  }

  /** @returns what has not been given away yet */
  end(): BuiltChunk | undefined {
    const lines = this.#lines;
    if (lines.length === 0) return undefined;
    this.#lines = [];
    this.#characters = 0;
    const firstRow = this.rows - lines.length;
    return { index: this.#index++, firstRow, rows: lines.length, input: lines.join("\n") };
  }
}
