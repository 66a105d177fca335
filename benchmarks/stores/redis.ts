import { Redis } from "ioredis";
import { createRedisCacheStore } from "../../src/stores/cache/redis.ts";
import { createRedisRateCounter } from "../../src/stores/rate-counters/redis.ts";
import { startRedisServer } from "../../test/support/redis-server.ts";
import type { Contest } from "./contest.ts";
import { repeat } from "./contest.ts";

const KEYS = 100;
const READS = 400;
const WRITES = 5000;
const HITS = 5000;

/** A row of two scores, under a key as long as real ones. */
const keyOf = (index: number) => `text-classification:1.0.0:${"0".repeat(40)}:${index}`;

/** Cache and counters beside `ioredis` with the same commands. */
export async function createRedisContests(): Promise<{
  readonly contests: readonly Contest[];
  readonly close: () => Promise<void>;
}> {
  const server = await startRedisServer();
  const options = {
    ...{ url: server.url, setting: "cache.store.url", prefix: "bench:" },
    ...{ connectTimeoutMs: 2000, timeoutMs: 1000 },
    nowMs: () => performance.now(),
    changed: () => {},
  };
  const cache = await createRedisCacheStore(options);
  const counter = await createRedisRateCounter(options);
  const raw = new Redis(server.url);
  const value = Float32Array.of(0.25, 0.75);
  const bytes = Buffer.from(value.buffer);
  const keys = Array.from({ length: KEYS }, (_, index) => keyOf(index));
  for (const key of keys) {
    await cache.set(key, value, 600_000);
    await raw.set(`raw:${key}`, bytes, "PX", 600_000);
  }
  const names = keys.map((key) => `raw:${key}`);
  return {
    contests: [
      {
        ...{ store: "cache, Redis", what: `reads of ${KEYS} keys, 4 at once`, operations: READS },
        driver: () => repeat(READS, 4, () => cache.getMany(keys)),
        raw: () => repeat(READS, 4, () => raw.mgetBuffer(names)),
      },
      {
        ...{ store: "cache, Redis", what: "writes, 64 at once", operations: WRITES },
        driver: () => repeat(WRITES, 64, (i) => cache.set(keyOf(i), value, 600_000)),
        raw: () => repeat(WRITES, 64, (i) => raw.set(`raw:${keyOf(i)}`, bytes, "PX", 600_000)),
      },
      {
        ...{ store: "counters, Redis", what: "hits of one key, 32 at once", operations: HITS },
        driver: () => repeat(HITS, 32, async () => await counter.hit("caller", 60_000)),
        raw: () => repeat(HITS, 32, () => raw.incr("raw:caller")),
      },
    ],
    close: async () => {
      raw.disconnect();
      await Promise.all([cache.close(), counter.close()]);
      await server.close();
    },
  };
}
