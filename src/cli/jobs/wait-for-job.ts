import { Presets, SingleBar } from "cli-progress";
import { SluiceError } from "../../core/errors.ts";
import type { JobClient, WireJob } from "./job-client.ts";

const POLL_MS = 500;
/** Looks in a row that may fail, so that a restart of the server does not end the wait. */
const MAX_FAILURES = 60;
const ENDED = new Set(["completed", "failed", "cancelled"]);

/**
 * Waits until a job has ended, with a bar on a terminal.
 *
 * @throws SluiceError when the server does not answer for half a minute
 */
export async function waitForJob(
  client: Pick<JobClient, "find">,
  job: WireJob,
  showsBar: boolean,
): Promise<WireJob> {
  const bar = showsBar ? createBar() : undefined;
  bar?.start(job.rows.total, job.rows.done, { rate: "–" });
  let now = job;
  let failures = 0;
  try {
    while (!ENDED.has(now.state)) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      try {
        now = await client.find(job.id);
        failures = 0;
      } catch (thrown) {
        if (++failures > MAX_FAILURES || !isPassing(thrown)) throw thrown;
      }
      const rate = now.rows_per_second === null ? "–" : Math.round(now.rows_per_second);
      bar?.update(now.rows.done, { rate });
    }
    return now;
  } finally {
    bar?.stop();
  }
}

function createBar(): SingleBar {
  const format =
    "{bar} {percentage} % | {value}/{total} rows | {rate} rows/s | {eta_formatted} left";
  // Beside the results, which may go to standard output.
  return new SingleBar(
    { format, stream: process.stderr, hideCursor: true },
    Presets.shades_classic,
  );
}

function isPassing(thrown: unknown): boolean {
  return thrown instanceof SluiceError && thrown.code === "unavailable";
}
