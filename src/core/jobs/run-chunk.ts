import type { InferencePipeline } from "../inference/run-inference.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import type { Job } from "./job.ts";
import type { JobLimits } from "./job-settings.ts";
import { processChunk } from "./process-chunk.ts";
import type { JobStores } from "./submit-job.ts";
import type { ChunkWork } from "./work-message.ts";

export interface ChunkRun {
  readonly work: ChunkWork;
  /** How often this chunk was handed out, this time included. */
  readonly attempt: number;
  readonly timeoutMs: number;
  readonly cancellation: Cancellation;
}

/** What to do with the message that stands for the chunk. */
export type ChunkVerdict =
  | { readonly kind: "done" }
  | { readonly kind: "retry"; readonly reason: string }
  | { readonly kind: "bury"; readonly reason: string };

export interface ChunkRunner extends JobStores {
  readonly pipeline: InferencePipeline;
  readonly limits: JobLimits;
  readonly defaultModel: string;
}

/**
 * Does a piece of work: answers a chunk, stores its results, and ends the job when it was the last. Doing it again, or twice at
 * once, changes nothing: results are stored once, and a job ends once.
 *
 * @throws SluiceError `unavailable` while a store cannot be reached; the work is then to be tried again
 */
export async function runChunk(run: ChunkRun, runner: ChunkRunner): Promise<ChunkVerdict> {
  const { work } = run;
  const job = await begin(work, runner);
  if (job === undefined || job.round !== work.round) return { kind: "done" };
  const chunk = await runner.chunks.read(work.jobId, work.index);
  if (chunk === undefined) return { kind: "bury", reason: "The job has no such chunk." };
  if (chunk.doneRound < work.round) {
    const outcome = await processChunk(
      {
        job,
        input: chunk.input,
        earlier: chunk.results,
        timeoutMs: run.timeoutMs,
        cancellation: run.cancellation,
        isLastAttempt: run.attempt >= runner.limits.maxAttempts,
        defaultModel: runner.defaultModel,
      },
      runner.pipeline,
    );
    if (outcome.kind === "retry") return { kind: "retry", reason: outcome.error.message };
    if (outcome.kind === "hopeless") {
      await failJob(job, outcome.error.message, runner);
      return { kind: "bury", reason: outcome.error.message };
    }
    const { results, failedRows } = outcome;
    const { index, round } = work;
    await runner.chunks.finish(job.id, { index, round, results, failedRows });
  }
  await completeWhenDone(job.id, runner);
  return { kind: "done" };
}

/** The job if it is to be worked on; the first chunk that is begun makes it `running`. */
async function begin({ jobId }: ChunkWork, { jobs, epochMs }: JobStores): Promise<Job | undefined> {
  const job = await jobs.find(jobId);
  if (job?.state === "running") return job;
  if (job?.state !== "queued") return undefined;
  const startedAtMs = job.startedAtMs ?? epochMs();
  const begun = await jobs.transition(jobId, ["queued"], { to: "running", startedAtMs });
  // Another worker may have been faster, or somebody may have cancelled it.
  const now = begun ?? (await jobs.find(jobId));
  return now?.state === "running" ? now : undefined;
}

/** Ends a running job that has all its results; whoever comes first does it. */
export async function completeWhenDone(
  jobId: string,
  { jobs, chunks, events, epochMs, limits }: JobStores & Pick<ChunkRunner, "limits">,
): Promise<void> {
  const job = await jobs.find(jobId);
  if (job?.state !== "running" || job.doneRows < job.totalRows) return;
  if ((await chunks.listUnfinished(jobId, -1, 1)).length > 0) return;
  const finishedAtMs = epochMs();
  const change = { to: "completed", finishedAtMs, expiresAtMs: finishedAtMs + limits.retentionMs };
  const after: Job = { ...job, ...change, state: "completed" };
  await jobs.transition(jobId, ["running"], { ...change, to: "completed" }, events.ended(after));
}

/** Ends a job that cannot go on. */
export async function failJob(
  job: Job,
  failure: string,
  { jobs, events, epochMs, limits }: JobStores & Pick<ChunkRunner, "limits">,
): Promise<void> {
  const finishedAtMs = epochMs();
  const change = { finishedAtMs, expiresAtMs: finishedAtMs + limits.retentionMs, failure };
  const after: Job = { ...job, ...change, state: "failed" };
  const told = events.ended(after);
  await jobs.transition(job.id, ["queued", "running"], { ...change, to: "failed" }, told);
}
