import { createSeededRandom, shuffleIndexes } from "../corpus/seeded-random.ts";
import type { LoadConnection } from "./load-connection.ts";
import type { LoadLoop, LoadLoopOptions } from "./load-loop.ts";

/**
 * Every connection sends its next request as soon as the last one is answered, and walks its own order of texts:
 * walking one list in step would make the texts of a batch alike, which flatters the server.
 */
export function createClosedLoop({ requests, connections, seed }: LoadLoopOptions): LoadLoop {
  const orders = connections.map(({ index }) =>
    shuffleIndexes(requests.length, createSeededRandom(seed + index)),
  );
  const positions = new Uint32Array(connections.length);
  let sent = 0;
  let stopped = false;

  const sendNext = (connection: LoadConnection) => {
    if (stopped) return;
    const { index } = connection;
    const position = positions[index] ?? 0;
    positions[index] = position + 1 === requests.length ? 0 : position + 1;
    const request = requests[orders[index]?.[position] ?? 0];
    if (request === undefined) return;
    sent++;
    connection.send(request, performance.now());
  };

  return {
    start: () => connections.forEach(sendNext),
    onFree: sendNext,
    stop: () => {
      stopped = true;
    },
    get sent() {
      return sent;
    },
    missed: 0,
  };
}
