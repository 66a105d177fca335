import type { LoadClient } from "../load/load-client.ts";
import type { OverloadPhase } from "../overload/overload-phases.ts";
import { measureCapacity, runOverloadPhase } from "../overload/overload-phases.ts";
import type { ServerProcess } from "../servers/server-process.ts";

export interface SoakOptions {
  readonly client: LoadClient;
  readonly server: ServerProcess;
  /** Name of bodies that the client knows, with marks. */
  readonly bodies: string;
  readonly minutes: number;
  /** Of the capacity. */
  readonly share: number;
  readonly connections: number;
  readonly say: (what: string) => void;
}

export interface SoakResult {
  /** Accepted requests/s in a closed loop. */
  readonly capacityPerSecond: number;
  /** One entry per minute of load; the last may be shorter. */
  readonly minutes: readonly OverloadPhase[];
}

const MINUTE_MS = 60_000;
/** Few enough that none is refused: a refused caller asks again at once, and the server would mostly refuse. */
const CLOSED_CONNECTIONS = 32;
const CAPACITY_MS = 5000;

/** Minute after minute at the same rate, with memory and answers looked at in each. */
export async function runSoak(options: SoakOptions): Promise<SoakResult> {
  const { client, server, bodies, connections, share, say } = options;
  const { host, port, pid } = server;
  const connected = { closedConnections: CLOSED_CONNECTIONS, openConnections: connections };
  const target = { client, host, port, pid, bodies, ...connected };
  say("capacity");
  const capacityPerSecond = await measureCapacity({ ...target, durationMs: CAPACITY_MS });
  const minutes: OverloadPhase[] = [];
  for (let left = options.minutes; left > 0; left--) {
    say(`minute ${minutes.length + 1}`);
    const durationMs = Math.round(Math.min(left, 1) * MINUTE_MS);
    const rate = { capacityPerSecond, multiple: share, seed: minutes.length + 1 };
    minutes.push(await runOverloadPhase({ ...target, durationMs }, rate));
  }
  return { capacityPerSecond, minutes };
}
