import type { LoadClient } from "../load/load-client.ts";
import { JOB_DEFAULTS } from "../load/load-client.ts";
import type { LoadReport } from "../load/load-job.ts";
import type { OpenMode } from "../load/open-loop.ts";
import type { ServerProcess } from "../servers/server-process.ts";

/** What a server did at one arrival rate. */
export interface OpenFigures {
  /** Share of the capacity measured in a closed loop. */
  readonly share: number;
  /** Requests/s that were due. */
  readonly wantedPerSecond: number;
  readonly pacing: OpenMode["pacing"];
  readonly report: LoadReport;
  /** Answers with 429 of all answers. */
  readonly shedShare: number;
}

export interface OpenRatesOptions {
  readonly client: LoadClient;
  readonly server: Pick<ServerProcess, "host" | "port">;
  readonly bodies: string;
  /** Requests/s of the same server in a closed loop. */
  readonly capacityPerSecond: number;
  /** Shares of the capacity. */
  readonly shares: readonly number[];
  readonly connections: number;
  readonly durationMs: number;
  /** Requests that may wait in the generator. More only lengthens the wait when the generator cannot keep up. */
  readonly maxBacklog: number;
  readonly pacing: OpenMode["pacing"];
  /** Of the first rate; each further one has the next. */
  readonly seed?: number;
}

const FIRST_SEED = 1000;

/** Loads one server with fixed arrival rates, one after the other; arrivals are random, as from many callers. */
export async function runOpenRates(options: OpenRatesOptions): Promise<OpenFigures[]> {
  const { client, server, bodies, connections, durationMs } = options;
  const figures: OpenFigures[] = [];
  for (const share of options.shares) {
    const wantedPerSecond = share * options.capacityPerSecond;
    const report = await client.run(bodies, {
      ...JOB_DEFAULTS,
      host: server.host,
      port: server.port,
      connections,
      durationMs,
      seed: (options.seed ?? FIRST_SEED) + figures.length,
      mode: {
        kind: "open",
        requestsPerSecond: wantedPerSecond,
        spacing: "exponential",
        pacing: options.pacing,
        maxBacklog: options.maxBacklog,
      },
    });
    const { pacing } = options;
    figures.push({ share, wantedPerSecond, pacing, report, shedShare: shedShareOf(report) });
  }
  return figures;
}

function shedShareOf({ statuses }: LoadReport): number {
  const answers = Object.values(statuses).reduce((total, count) => total + count, 0);
  return answers === 0 ? 0 : (statuses["429"] ?? 0) / answers;
}
