import { readProcessUsage } from "./process-usage.ts";

/** Resident memory of a process over some time, in MiB. */
export interface MemoryCourse {
  readonly before: number;
  readonly highest: number;
  readonly after: number;
}

const SAMPLE_MS = 100;

/**
 * Watches a process while `work` runs.
 *
 * @param pid `undefined` when it is not known, as for a server that somebody else started
 * @returns what `work` gives, and the course where the platform tells it
 */
export async function watchMemory<Result>(
  pid: number | undefined,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly memory: MemoryCourse | undefined }> {
  const read = () => (pid === undefined ? undefined : readProcessUsage(pid)?.residentMib);
  const before = read();
  if (before === undefined) return { result: await work(), memory: undefined };
  let highest = before;
  const sample = () => {
    highest = Math.max(highest, read() ?? 0);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    const result = await work();
    sample();
    return { result, memory: { before, highest, after: read() ?? 0 } };
  } finally {
    clearInterval(timer);
  }
}
