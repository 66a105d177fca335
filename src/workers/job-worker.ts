import { toSluiceError } from "../core/errors.ts";
import { isFinished } from "../core/jobs/job-state.ts";
import type { ChunkRunner, ChunkVerdict } from "../core/jobs/run-chunk.ts";
import { failJob, runChunk } from "../core/jobs/run-chunk.ts";
import { readWorkMessage } from "../core/jobs/work-message.ts";
import type { Cancellation } from "../core/ports/cancellation.ts";
import type { Logger } from "../core/ports/logger.ts";
import type { LeasedWork } from "../core/ports/work-queue.ts";

export interface JobWorkerOptions extends ChunkRunner {
  readonly logger: Logger;
  /** Chunks that are worked on at once; at least 1. */
  readonly concurrency: number;
  /** A chunk whose worker says nothing for so long is given to another. */
  readonly leaseMs: number;
}

export interface JobWorker {
  /** Takes no more work and gives back what is not finished; another worker goes on with it. */
  stop(): Promise<void>;
}

/** How long to wait for work before looking whether to stop. */
const TAKE_WAIT_MS = 1000;
/** After a failure of the queue itself. */
const OUTAGE_WAIT_MS = 1000;
const MAX_RETRY_MS = 60_000;

/** Answers chunks of jobs for as long as it runs, a few at once. */
export function startJobWorker(options: JobWorkerOptions): JobWorker {
  const { queue, logger, concurrency, leaseMs } = options;
  const { clock } = options.pipeline;
  const busy = new Set<Promise<void>>();
  const stopping = new CancelSource();
  const sleep = (ms: number) =>
    new Promise<void>((resolve) => {
      clock.setTimer(ms, resolve);
      stopping.onCancel(resolve);
    });
  let isDark = false;
  const take = async (): Promise<readonly LeasedWork[]> => {
    try {
      const taken = await queue.take({
        max: concurrency - busy.size,
        waitMs: TAKE_WAIT_MS,
        leaseMs,
      });
      if (isDark) logger.info("The queue of jobs answers again.");
      isDark = false;
      return taken;
    } catch (thrown) {
      const reason = toSluiceError(thrown).message;
      if (!isDark) logger.warn("The queue of jobs does not answer; jobs wait.", { reason });
      isDark = true;
      await sleep(OUTAGE_WAIT_MS);
      return [];
    }
  };
  const loop = async () => {
    while (!stopping.cancelled) {
      if (busy.size >= concurrency) await Promise.race(busy);
      for (const work of await take()) {
        const handled = handleWork(work, options, stopping).finally(() => busy.delete(handled));
        busy.add(handled);
      }
    }
    await Promise.all(busy);
  };
  const ended = loop();
  return {
    stop: async () => {
      stopping.cancel();
      await ended;
    },
  };
}

/** Never rejects: what goes wrong ends in the log, and the lease runs out. */
async function handleWork(
  leased: LeasedWork,
  options: JobWorkerOptions,
  stopping: CancelSource,
): Promise<void> {
  const cancel = new CancelSource();
  const unsubscribe = stopping.onCancel(() => cancel.cancel());
  const stopBeating = keepLease(leased, options, cancel);
  try {
    const verdict = await decideVerdict(leased, options, cancel);
    // While it stops, the next worker need not wait for a failure that was none.
    const delayMs = stopping.cancelled ? 0 : toRetryDelayMs(leased.attempt);
    await settle(leased, verdict, delayMs);
  } catch (thrown) {
    const { message: reason, cause } = toSluiceError(thrown);
    options.logger.warn("Work on a job could not be settled; it is handed out again.", {
      ...{ work: leased.id, reason, cause },
    });
  } finally {
    stopBeating();
    unsubscribe();
  }
}

async function decideVerdict(
  leased: LeasedWork,
  options: JobWorkerOptions,
  cancellation: Cancellation,
): Promise<ChunkVerdict> {
  const work = readWorkMessage(leased.body);
  if (work === undefined) return { kind: "bury", reason: "The message is not about a chunk." };
  const { attempt } = leased;
  const timeoutMs = CHUNK_TIMEOUT_MS;
  try {
    return await runChunk({ work, attempt, timeoutMs, cancellation }, options);
  } catch (thrown) {
    const { code, message, cause } = toSluiceError(thrown);
    if (code === "unavailable" || attempt < options.limits.maxAttempts) {
      return { kind: "retry", reason: message };
    }
    options.logger.error("Work on a job failed because of a bug.", { work: leased.id, cause });
    const job = await options.jobs.find(work.jobId);
    if (job !== undefined) await failJob(job, message, options);
    return { kind: "bury", reason: message };
  }
}

/** A chunk that has found no room for so long is tried again later. */
const CHUNK_TIMEOUT_MS = 120_000;

function settle(leased: LeasedWork, verdict: ChunkVerdict, delayMs: number): Promise<void> {
  if (verdict.kind === "done") return leased.done();
  return verdict.kind === "bury" ? leased.bury(verdict.reason) : leased.retry(delayMs);
}

/** 1 s, 2 s, 4 s … 60 s. */
function toRetryDelayMs(attempt: number): number {
  return Math.min(MAX_RETRY_MS, 1000 * 2 ** Math.min(attempt - 1, 10));
}

/** Keeps others from taking the work, and ends it when they have, or when its job has ended. */
function keepLease(
  leased: LeasedWork,
  { leaseMs, jobs, pipeline, logger }: JobWorkerOptions,
  cancel: CancelSource,
): () => void {
  let stopped = false;
  let stopTimer = () => {};
  const beat = async () => {
    try {
      const work = readWorkMessage(leased.body);
      const job = work === undefined ? undefined : await jobs.find(work.jobId);
      const isWanted = job !== undefined && !isFinished(job.state);
      if (!isWanted || !(await leased.extend())) cancel.cancel();
    } catch (thrown) {
      logger.debug("A lease could not be extended.", { reason: toSluiceError(thrown).message });
    }
    if (!stopped) schedule();
  };
  const schedule = () => {
    stopTimer = pipeline.clock.setTimer(leaseMs / 3, () => void beat());
  };
  schedule();
  return () => {
    stopped = true;
    stopTimer();
  };
}

/** A cancellation that somebody here may pull. */
class CancelSource implements Cancellation {
  cancelled = false;
  readonly #listeners = new Set<() => void>();

  cancel(): void {
    if (this.cancelled) return;
    this.cancelled = true;
    for (const listener of [...this.#listeners]) listener();
  }

  onCancel(listener: () => void): () => void {
    if (this.cancelled) listener();
    else this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
