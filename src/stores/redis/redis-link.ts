import type { Redis } from "ioredis";
import type { SluiceError } from "../../core/errors.ts";
import { Circuit } from "./circuit.ts";
import { isRefusal, tooOld, toRedisError } from "./redis-error.ts";

export interface RedisLinkOptions {
  /** `redis://user:password@host:port/database`; `rediss://` for TLS. */
  readonly url: string;
  /** Name of the setting that has it, for messages. */
  readonly setting: string;
  readonly connectTimeoutMs: number;
  /** For one call; a server that takes longer is passed over. */
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly nowMs: () => number;
  /** Hears why the server is passed over, and with `undefined` that it is asked again. */
  readonly changed: (problem: string | undefined) => void;
}

/** A connection to Redis that never keeps anybody waiting, and comes back by itself. */
export interface RedisLink {
  /** Where the server is; never user or password. */
  readonly address: string;
  /** Asks the server. @throws SluiceError `unavailable` at the latest after `timeoutMs` */
  run<T>(call: (client: Redis) => Promise<T>): Promise<T>;
  /** As `run`, for what takes no answer into account: a full server does not keep others from reading. */
  write(call: (client: Redis) => Promise<unknown>): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Oldest version that is tested against: access lists and everything that is used here. */
const OLDEST_MAJOR = 6;
/** What may wait in memory to be sent; more than that means that the server takes nothing. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
const LONGEST_RECONNECT_MS = 2000;

/**
 * Connects to Redis. A server that cannot be reached yet is passed over until it is there; one that answers and refuses is
 * a mistake that no waiting mends.
 *
 * @throws SluiceError `unavailable` naming the setting and the fix: wrong password, no rights, no such database, too old
 */
export async function openRedisLink(options: RedisLinkOptions): Promise<RedisLink> {
  const { url, setting, connectTimeoutMs, timeoutMs, nowMs, changed } = options;
  const { Redis } = await import("ioredis");
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    // A call while the server is away fails at once instead of waiting for it.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    keepAlive: 10_000,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 10), LONGEST_RECONNECT_MS),
  });
  let latest: unknown;
  client.on("error", (error: unknown) => {
    latest = error;
  });
  const describe = (thrown: unknown): SluiceError =>
    // While there is no connection, every call fails alike; why, only the connection knows.
    toRedisError(client.status === "ready" ? thrown : (latest ?? thrown), setting);
  const shared = { timeoutMs, nowMs, describe, changed: tellOnce(changed) };
  const unanswered = () => {
    // The connection itself may be what hangs.
    if (client.status === "ready") client.disconnect(true);
  };
  const reads = new Circuit({ ...shared, unanswered });
  const writes = new Circuit({ ...shared, unanswered });
  const failure = await connect(client, setting).catch((thrown: unknown) => thrown);
  // What the server says to a login or to a choice of database is an event of the connection, and no answer.
  const refusal = [failure, latest].find(isRefusal);
  if (refusal !== undefined) {
    client.disconnect();
    throw toRedisError(refusal, setting);
  }
  if (failure !== undefined) changed(toRedisError(failure, setting).message);
  return {
    address: describeAddress(url),
    run: (call) => reads.run(() => call(client)),
    write: async (call) => {
      if ((client.stream?.writableLength ?? 0) > MAX_UNSENT_BYTES) throw describe(undefined);
      await writes.run(() => call(client));
    },
    close: async () => {
      client.disconnect();
    },
  };
}

/** Reads and writes fail and come back each on their own; people hear of the first and of the last. */
function tellOnce(changed: RedisLinkOptions["changed"]): RedisLinkOptions["changed"] {
  let open = 0;
  return (problem) => {
    const before = open;
    open += problem === undefined ? -1 : 1;
    if (before === 0 || open === 0) changed(problem);
  };
}

/** Settles when the server has been spoken to; one that cannot be reached goes on being tried. */
async function connect(client: Redis, setting: string): Promise<void> {
  await client.connect();
  const information = await client.info("server");
  const [, version = "0"] = /^redis_version:(.*?)\r?$/m.exec(information) ?? [];
  if (Number.parseInt(version, 10) < OLDEST_MAJOR) throw tooOld(version, setting, OLDEST_MAJOR);
}

function describeAddress(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "address unreadable";
}
