import type { LatencySummary } from "../load/latency-histogram.ts";
import type { LoadClient } from "../load/load-client.ts";
import { JOB_DEFAULTS } from "../load/load-client.ts";
import type { LoadReport } from "../load/load-job.ts";
import { median } from "../report/median.ts";
import { readProcessUsage } from "../servers/process-usage.ts";
import type { ServerProcess } from "../servers/server-process.ts";

/** A server under a name. */
export interface Target {
  readonly name: string;
  readonly server: ServerProcess;
}

/** What one server did in all rounds with one corpus. */
export interface ClosedFigures {
  readonly target: string;
  /** Median of the rounds. */
  readonly requestsPerSecond: number;
  readonly rounds: readonly number[];
  /** Median over the rounds of requests/s divided by those of the first target in the same round. */
  readonly ratioToFirst: number;
  /** Processor time per request of the first target divided by this one's: the ratio on a core of one's own. */
  readonly cpuRatioToFirst: number | undefined;
  /** Latencies of the round whose rate is the median, or just above it. */
  readonly latency: LatencySummary;
  /** All rounds together. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly failedRequests: number;
  /** Processor time of the server per request; `undefined` where the platform does not tell. */
  readonly serverMicrosecondsPerRequest: number | undefined;
  readonly generatorMicrosecondsPerRequest: number;
}

export interface ClosedRoundsOptions {
  readonly client: LoadClient;
  readonly targets: readonly Target[];
  /** Name of bodies that the client knows. */
  readonly bodies: string;
  readonly connections: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
}

interface Round {
  readonly report: LoadReport;
  readonly serverCpuSeconds: number | undefined;
}

/**
 * Loads several servers in turn, round after round, so that whatever else the machine does meets all of them alike. The
 * ratio is taken within each round for the same reason.
 */
export async function runClosedRounds(options: ClosedRoundsOptions): Promise<ClosedFigures[]> {
  const { targets, rounds, roundMs, warmUpMs } = options;
  for (const target of targets) await runRound(options, target, 0, warmUpMs);
  const results = targets.map((): Round[] => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [i, target] of targets.entries()) {
      results[i]?.push(await runRound(options, target, round, roundMs));
    }
  }
  const first = results[0] ?? [];
  return targets.map(({ name }, i) => toFigures(name, results[i] ?? [], first));
}

async function runRound(
  { client, bodies, connections }: ClosedRoundsOptions,
  { server: { host, port, pid } }: Target,
  seed: number,
  durationMs: number,
): Promise<Round> {
  const before = readProcessUsage(pid);
  const job = {
    ...JOB_DEFAULTS,
    host,
    port,
    connections,
    durationMs,
    seed: 1 + seed * connections,
  };
  const report = await client.run(bodies, job);
  const after = readProcessUsage(pid);
  const known = before !== undefined && after !== undefined;
  return { report, serverCpuSeconds: known ? after.cpuSeconds - before.cpuSeconds : undefined };
}

function toFigures(
  target: string,
  rounds: readonly Round[],
  first: readonly Round[],
): ClosedFigures {
  const reports = rounds.map(({ report }) => report);
  const rates = reports.map(({ requestsPerSecond }) => requestsPerSecond);
  const firstRates = first.map(({ report }) => report.requestsPerSecond);
  const byRate = reports.toSorted((a, b) => a.requestsPerSecond - b.requestsPerSecond);
  const typical = byRate[byRate.length >> 1];
  if (typical === undefined) throw new RangeError("rounds: at least one is needed");
  const sent = sum(reports.map((report) => report.sent));
  const serverMicroseconds = serverMicrosecondsPerRequest(rounds);
  const firstMicroseconds = serverMicrosecondsPerRequest(first);
  const generatorCpu = sum(reports.map(({ generatorCpuSeconds }) => generatorCpuSeconds));
  return {
    target,
    requestsPerSecond: median(rates),
    rounds: rates.map(Math.round),
    ratioToFirst: median(rates.map((rate, i) => rate / (firstRates[i] ?? Number.NaN))),
    cpuRatioToFirst:
      serverMicroseconds === undefined || firstMicroseconds === undefined
        ? undefined
        : firstMicroseconds / serverMicroseconds,
    latency: typical.accepted,
    statuses: sumByKey(reports.map(({ statuses }) => statuses)),
    failedRequests: sum(reports.flatMap(({ errors }) => Object.values(errors))),
    serverMicrosecondsPerRequest: serverMicroseconds,
    generatorMicrosecondsPerRequest: (generatorCpu / sent) * 1e6,
  };
}

function serverMicrosecondsPerRequest(rounds: readonly Round[]): number | undefined {
  const cpuSeconds = sum(rounds.map((round) => round.serverCpuSeconds ?? Number.NaN));
  if (Number.isNaN(cpuSeconds)) return undefined;
  return (cpuSeconds / sum(rounds.map(({ report }) => report.sent))) * 1e6;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function sumByKey(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const totals = new Map<string, number>();
  for (const [key, count] of records.flatMap((record) => Object.entries(record))) {
    totals.set(key, (totals.get(key) ?? 0) + count);
  }
  return Object.fromEntries(totals);
}
