import { toSluiceError } from "../core/errors.ts";
import type { Job } from "../core/jobs/job.ts";
import type { JobLimits } from "../core/jobs/job-settings.ts";
import { completeWhenDone, failJob } from "../core/jobs/run-chunk.ts";
import type { JobStores } from "../core/jobs/submit-job.ts";
import { enqueueChunks } from "../core/jobs/submit-job.ts";
import type { Clock } from "../core/ports/clock.ts";
import type { Logger } from "../core/ports/logger.ts";

export interface JobSweeperOptions extends JobStores {
  readonly limits: JobLimits;
  readonly clock: Pick<Clock, "setTimer" | "nowMs">;
  readonly logger: Logger;
  /** From the end of one look to the beginning of the next. */
  readonly intervalMs: number;
  /** A job without progress for so long is handed out again. */
  readonly stallMs: number;
}

export interface JobSweeper {
  /** Resolves when a look under way is over. */
  stop(): Promise<void>;
}

/** Jobs that one look asks for at a time. */
const JOBS_AT_ONCE = 100;

/**
 * Picks up what was left lying when a process died between two steps: jobs whose chunks were never handed out, or whose
 * last chunk was answered and nobody said so; and removes what has expired. Any number of processes may sweep.
 */
export function startJobSweeper(options: JobSweeperOptions): JobSweeper {
  const { clock, logger, intervalMs } = options;
  const stalls = new StallWatch(options.stallMs);
  let stopped = false;
  let cancel = () => {};
  const sweepOnce = async () => {
    try {
      await removeExpired(options);
      await resumeStalled(options, stalls);
    } catch (thrown) {
      logger.debug("Jobs could not be looked after.", { reason: toSluiceError(thrown).message });
    }
    if (!stopped) schedule();
  };
  let sweep = Promise.resolve();
  const schedule = () => {
    cancel = clock.setTimer(intervalMs, () => {
      sweep = sweepOnce();
    });
  };
  schedule();
  return {
    stop: async () => {
      stopped = true;
      cancel();
      await sweep;
    },
  };
}

async function removeExpired(options: JobSweeperOptions): Promise<void> {
  const { jobs, epochMs } = options;
  const expired = await jobs.list({ expiredAtMs: epochMs(), limit: JOBS_AT_ONCE });
  for (const job of expired) {
    if (job.state === "queued" || job.state === "running") {
      await failJob(job, "The job took longer than jobs may; see jobs.maxAgeMs.", options);
    } else {
      // Of a job that never came in whole nobody was told.
      await jobs.remove(job.id, job.state === "receiving" ? [] : options.events.expired(job.id));
    }
  }
}

async function resumeStalled(options: JobSweeperOptions, stalls: StallWatch): Promise<void> {
  const nowMs = options.clock.nowMs();
  const seen = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const jobs = await options.jobs.list({
      states: ["queued", "running"],
      limit: JOBS_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    });
    for (const job of jobs) {
      seen.add(job.id);
      if (!stalls.isStalled(job, nowMs)) continue;
      const chunks = await enqueueChunks(job, options);
      if (chunks === 0) await completeWhenDone(job.id, options);
      else options.logger.debug("A job without progress was handed out again.", { job: job.id });
    }
    after = jobs.at(-1)?.id;
    if (jobs.length < JOBS_AT_ONCE) break;
  }
  stalls.forgetAllBut(seen);
}

/** Remembers how far jobs had come. */
class StallWatch {
  readonly #stallMs: number;
  readonly #seen = new Map<string, { doneRows: number; round: number; sinceMs: number }>();

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** Whether the job is where it was `stallMs` ago; then it counts as seen anew. */
  isStalled({ id, doneRows, round }: Job, nowMs: number): boolean {
    const last = this.#seen.get(id);
    if (last?.doneRows === doneRows && last.round === round) {
      if (nowMs - last.sinceMs < this.#stallMs) return false;
      last.sinceMs = nowMs;
      return true;
    }
    this.#seen.set(id, { doneRows, round, sinceMs: nowMs });
    return false;
  }

  forgetAllBut(ids: ReadonlySet<string>): void {
    for (const id of this.#seen.keys()) if (!ids.has(id)) this.#seen.delete(id);
  }
}
