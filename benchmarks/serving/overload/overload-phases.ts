import type { LoadClient } from "../load/load-client.ts";
import { JOB_DEFAULTS } from "../load/load-client.ts";
import type { MemoryCourse } from "../servers/memory-watch.ts";
import { watchMemory } from "../servers/memory-watch.ts";
import type { OpenFigures } from "./open-rates.ts";
import { runOpenRates } from "./open-rates.ts";

/** What is loaded with what. */
export interface OverloadTarget {
  readonly client: LoadClient;
  readonly host: string;
  readonly port: number;
  /** `undefined` leaves memory out. */
  readonly pid: number | undefined;
  readonly bodies: string;
  /** Connections that find out the capacity. */
  readonly closedConnections: number;
  /** Connections that send at fixed rates; as many requests can be on their way at once. */
  readonly openConnections: number;
  /** Of each measurement. */
  readonly durationMs: number;
}

export interface OverloadOptions extends OverloadTarget {
  /** Multiples of the capacity to send. */
  readonly multiples: readonly number[];
}

/** The server at one multiple of its capacity. */
export interface OverloadPhase extends OpenFigures {
  readonly memory: MemoryCourse | undefined;
  /** Answers that were neither accepted nor 429; a server under overload must give none. */
  readonly otherAnswers: number;
  readonly failedRequests: number;
}

export interface OverloadResult {
  /** Accepted requests/s in a closed loop. */
  readonly capacityPerSecond: number;
  readonly phases: readonly OverloadPhase[];
}

/** Requests that may wait in the generator for one of its connections. */
const MAX_BACKLOG = 1000;
const WARM_UP_MS = 1000;
/** Between phases, so that what one left in the queues does not meet the next. */
const PAUSE_MS = 500;

/** Finds out what the server can do, then sends it multiples of that. */
export async function runOverload(options: OverloadOptions): Promise<OverloadResult> {
  const capacityPerSecond = await measureCapacity(options);
  const phases: OverloadPhase[] = [];
  for (const multiple of options.multiples) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    phases.push(await runOverloadPhase(options, { capacityPerSecond, multiple }));
  }
  return { capacityPerSecond, phases };
}

/** Accepted requests/s in a closed loop, after a warm-up. */
export async function measureCapacity(target: OverloadTarget): Promise<number> {
  const { client, host, port, bodies, closedConnections, durationMs } = target;
  const closed = { ...JOB_DEFAULTS, host, port, connections: closedConnections };
  await client.run(bodies, { ...closed, durationMs: WARM_UP_MS });
  const { acceptedPerSecond } = await client.run(bodies, { ...closed, durationMs });
  return acceptedPerSecond;
}

/** Sends a multiple of the capacity for a while. */
export async function runOverloadPhase(
  { client, host, port, pid, bodies, openConnections, durationMs }: OverloadTarget,
  rate: {
    readonly capacityPerSecond: number;
    readonly multiple: number;
    readonly seed?: number;
  },
): Promise<OverloadPhase> {
  const { capacityPerSecond, multiple, seed } = rate;
  const { result, memory } = await watchMemory(pid, () =>
    runOpenRates({
      client,
      server: { host, port },
      bodies,
      capacityPerSecond,
      shares: [multiple],
      connections: openConnections,
      durationMs,
      maxBacklog: MAX_BACKLOG,
      pacing: "sparing",
      ...(seed === undefined ? {} : { seed }),
    }),
  );
  const [figures] = result;
  if (figures === undefined) throw new RangeError("multiples: at least one is needed");
  return toPhase(figures, memory);
}

function toPhase(figures: OpenFigures, memory: MemoryCourse | undefined): OverloadPhase {
  const { statuses, errors } = figures.report;
  const others = Object.entries(statuses).filter(
    ([status]) => !status.startsWith("2") && status !== "429",
  );
  return {
    ...figures,
    memory,
    otherAnswers: others.reduce((total, [, count]) => total + count, 0),
    failedRequests: Object.values(errors).reduce((total, count) => total + count, 0),
  };
}
