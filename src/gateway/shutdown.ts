import type { Server } from "node:http";
import { Server as NetServer } from "node:net";

export interface DrainOptions {
  /** How long to keep accepting after readiness turned false, so that load balancers notice first. */
  readonly drainDelayMs: number;
  /** After this long, what is still open is cut. */
  readonly graceMs: number;
}

/** How long an idle connection may stay silent before it is taken for unused. */
const QUIET_MS = 500;
const POLL_MS = 20;

/**
 * Ends an HTTP server without dropping what it has accepted. The caller has already made every answer carry
 * `Connection: close`, so busy connections end by themselves after their next answer.
 *
 * Node's own `close()` ends idle connections at once; a request that is on its way on such a connection is then lost.
 * So only the listening socket is closed first, and connections get time to say what they have to say.
 *
 * @returns connections that had to be cut
 */
export async function drainHttpServer(server: Server, options: DrainOptions): Promise<number> {
  await sleep(options.drainDelayMs);
  const deadlineMs = performance.now() + options.graceMs;
  // The net server's close stops listening and leaves every connection alone.
  NetServer.prototype.close.call(server);
  let quietSinceMs = performance.now();
  const onRequest = () => {
    quietSinceMs = performance.now();
  };
  server.prependListener("request", onRequest);
  while (performance.now() < deadlineMs) {
    if ((await countConnections(server)) === 0) return 0;
    if (performance.now() - quietSinceMs > QUIET_MS) server.closeIdleConnections();
    await sleep(POLL_MS);
    // A process that got no processor for a while runs its timers before it reads its sockets. What has arrived
    // meanwhile must be read before anybody is called quiet.
    await nextTurn();
  }
  const cut = await countConnections(server);
  server.closeAllConnections();
  return cut;
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** Resolves after the sockets that have data were read. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
