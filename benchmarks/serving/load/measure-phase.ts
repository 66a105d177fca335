import type { ProcessUsage } from "../servers/process-usage.ts";
import { readUsageOfAll } from "../servers/process-usage.ts";
import type { BatchFigures, ServerCounts } from "../servers/server-metrics.ts";
import { toBatchFigures } from "../servers/server-metrics.ts";
import type { LoadClient } from "./load-client.ts";
import type { LoadJob, LoadReport } from "./load-job.ts";

/** A server under load for some seconds: what it answered and what that took. */
export interface PhaseFigures {
  readonly report: LoadReport;
  /** Processor time per second of all processes of the server; `undefined` where the platform does not tell. */
  readonly serverCores: number | undefined;
  /** Thereof of the first thread of each process. */
  readonly mainThreadCores: number | undefined;
  readonly generatorCores: number;
  /** After the load. */
  readonly residentMib: number | undefined;
  readonly peakResidentMib: number | undefined;
  /** `undefined` for servers that do not tell. */
  readonly batches: BatchFigures | undefined;
}

export interface PhaseOptions {
  readonly client: LoadClient;
  /** All processes of the server. */
  readonly pids: readonly number[];
  /** Name of bodies that the client knows. */
  readonly bodies: string;
  readonly job: LoadJob;
  readonly readCounts?: () => Promise<ServerCounts>;
}

/** Runs one job and watches the server meanwhile. */
export async function measurePhase(options: PhaseOptions): Promise<PhaseFigures> {
  const { client, pids, bodies, job, readCounts } = options;
  const countsBefore = await readCounts?.();
  const before = readUsageOfAll(pids);
  const startMs = performance.now();
  const report = await client.run(bodies, job);
  const seconds = (performance.now() - startMs) / 1000;
  const after = readUsageOfAll(pids);
  const countsAfter = await readCounts?.();
  const toCores = (read: (usage: ProcessUsage) => number) =>
    before === undefined || after === undefined
      ? undefined
      : (read(after) - read(before)) / seconds;
  return {
    report,
    serverCores: toCores(({ cpuSeconds }) => cpuSeconds),
    mainThreadCores: toCores(({ mainThreadCpuSeconds }) => mainThreadCpuSeconds),
    generatorCores: report.generatorCpuSeconds / (report.durationMs / 1000),
    residentMib: after?.residentMib,
    peakResidentMib: after?.peakResidentMib,
    batches:
      countsBefore === undefined || countsAfter === undefined
        ? undefined
        : toBatchFigures(countsBefore, countsAfter),
  };
}

/** Answers with 429 of all answers. */
export function toShedShare({ statuses }: LoadReport): number {
  const answers = Object.values(statuses).reduce((total, count) => total + count, 0);
  return answers === 0 ? 0 : (statuses["429"] ?? 0) / answers;
}

/** Answers that are neither 2xx nor 429, and requests without an answer; a sound server gives none. */
export function countFailures({ statuses, errors }: LoadReport): number {
  const others = Object.entries(statuses).filter(
    ([status]) => !status.startsWith("2") && status !== "429",
  );
  const failed = Object.values(errors) as readonly number[];
  return [...others.map(([, count]) => count), ...failed].reduce((sum, count) => sum + count, 0);
}
