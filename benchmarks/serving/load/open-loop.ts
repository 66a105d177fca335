import { createSeededRandom, shuffleIndexes } from "../corpus/seeded-random.ts";
import { DueLine } from "./due-line.ts";
import type { LoadConnection } from "./load-connection.ts";
import type { LoadMode } from "./load-job.ts";
import type { LoadLoop, LoadLoopOptions } from "./load-loop.ts";

export type OpenMode = Extract<LoadMode, { kind: "open" }>;

/** Timers count whole milliseconds and are somewhat late; who wants to be precise waits for the last part by polling. */
const POLL_BELOW_MS = { precise: 1.25, sparing: 0 } as const;
/** Arrivals handled in one turn of the event loop, so that answers are still read when the generator lags. */
const MAX_ARRIVALS_PER_TURN = 256;

/**
 * Requests are due at times fixed beforehand, whatever the server does. A request whose time comes while all connections
 * are busy waits, and its wait is part of its latency; thus a slow server cannot slow its own load down.
 */
export function createOpenLoop(options: LoadLoopOptions, mode: OpenMode): LoadLoop {
  const random = createSeededRandom(options.seed);
  const { requests } = options;
  const order = shuffleIndexes(requests.length, random);
  const nextGapMs = createGaps(mode, random);
  const pollBelowMs = POLL_BELOW_MS[mode.pacing];
  const line = new DueLine(mode.maxBacklog);
  const free: LoadConnection[] = [];
  let nextDueMs = 0;
  let sent = 0;
  let missed = 0;
  let stopped = false;

  const send = (connection: LoadConnection, dueMs: number) => {
    const request = requests[order[sent % order.length] ?? 0];
    if (request === undefined) return;
    sent++;
    connection.send(request, dueMs);
  };

  const arrive = (dueMs: number) => {
    const connection = takeFree(free);
    if (connection !== undefined) send(connection, dueMs);
    else if (!line.push(dueMs)) missed++;
  };

  const tick = () => {
    if (stopped) return;
    const nowMs = performance.now();
    for (let i = 0; i < MAX_ARRIVALS_PER_TURN && nextDueMs <= nowMs; i++) {
      arrive(nextDueMs);
      nextDueMs += nextGapMs();
    }
    const waitMs = nextDueMs - performance.now();
    if (waitMs < pollBelowMs) setImmediate(tick);
    else setTimeout(tick, Math.max(1, Math.floor(waitMs - pollBelowMs) + 1));
  };

  return {
    start: () => {
      free.push(...options.connections);
      nextDueMs = performance.now() + nextGapMs();
      tick();
    },
    onFree: (connection) => {
      const dueMs = stopped ? undefined : line.shift();
      if (dueMs === undefined) free.push(connection);
      else send(connection, dueMs);
    },
    stop: () => {
      stopped = true;
      missed += line.length;
    },
    get sent() {
      return sent;
    },
    get missed() {
      return missed;
    },
  };
}

/** A connection that the server ended while it was idle stays in the list until its turn comes, and is left out then. */
function takeFree(free: LoadConnection[]): LoadConnection | undefined {
  for (;;) {
    const connection = free.pop();
    if (connection === undefined || (connection.usable && !connection.busy)) return connection;
  }
}

function createGaps({ requestsPerSecond, spacing }: OpenMode, random: () => number): () => number {
  const meanMs = 1000 / requestsPerSecond;
  if (spacing === "constant") return () => meanMs;
  return () => -Math.log(1 - random()) * meanMs;
}
