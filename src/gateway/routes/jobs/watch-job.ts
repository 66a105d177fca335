import { toSluiceError } from "../../../core/errors.ts";
import type { Job } from "../../../core/jobs/job.ts";
import type { JobService } from "../../../core/jobs/job-service.ts";
import { isFinished } from "../../../core/jobs/job-state.ts";
import type { Clock } from "../../../core/ports/clock.ts";
import { encodeErrorDetail } from "../../../protocols/native/encode-error.ts";
import { encodeJob } from "../../../protocols/native/jobs/encode-job.ts";

export interface JobWatch {
  readonly owner: string;
  readonly job: Job;
  /** Time between two looks. */
  readonly intervalMs: number;
}

/** So often something is sent even when nothing changes, for proxies that cut silent connections. */
const KEEP_ALIVE_MS = 15_000;

/**
 * The progress of a job as server-sent events: `progress` whenever rows were answered, then one event named after the
 * state that it ended in. The store is asked, so it does not matter which processes work on the job.
 */
export async function* watchJob(
  { owner, job, intervalMs }: JobWatch,
  jobs: Pick<JobService, "find">,
  clock: Pick<Clock, "nowMs" | "epochMs" | "setTimer">,
): AsyncGenerator<string, void, undefined> {
  let now = job;
  let last = "";
  let sentMs = clock.nowMs();
  for (;;) {
    const mark = `${now.state} ${now.round} ${now.doneRows}`;
    if (mark !== last || isFinished(now.state)) {
      const name = isFinished(now.state) ? now.state : "progress";
      yield frame(name, encodeJob(now, clock.epochMs()));
      sentMs = clock.nowMs();
    } else if (clock.nowMs() - sentMs >= KEEP_ALIVE_MS) {
      yield ": still there\n\n";
      sentMs = clock.nowMs();
    }
    last = mark;
    if (isFinished(now.state)) return;
    await new Promise<void>((resolve) => {
      clock.setTimer(intervalMs, resolve);
    });
    try {
      now = await jobs.find(owner, job.id);
    } catch (thrown) {
      yield frame("error", JSON.stringify(encodeErrorDetail(toSluiceError(thrown))));
      return;
    }
  }
}

function frame(event: string, data: string): string {
  return `event: ${event}\ndata: ${data}\n\n`;
}
