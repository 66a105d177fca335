import { afterAll, beforeAll, describe } from "vitest";
import { createRedisCacheStore } from "../../src/stores/cache/redis.ts";
import { createRedisRateCounter } from "../../src/stores/rate-counters/redis.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { findRedisProblem, startRedisServer } from "../support/redis-server.ts";
import { describeCacheStore } from "./cache-store.ts";
import { describeRateCounter } from "./rate-counter.ts";

const problem = findRedisProblem();
const note = problem === undefined ? "" : ` [skipped: ${problem}]`;

describe.skipIf(problem !== undefined)(`Redis${note}`, () => {
  let server: RedisServer;
  let count = 0;
  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(() => server.close());

  const options = () => ({
    url: server.url,
    setting: "store.url",
    // Slow machines are not what these suites are about.
    timeoutMs: 5000,
    connectTimeoutMs: 5000,
    nowMs: () => performance.now(),
    changed: () => {},
    prefix: `test-${count++}:`,
  });
  const pass = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

  describeCacheStore("Redis", async () => ({
    store: await createRedisCacheStore(options()),
    pass,
  }));
  describeRateCounter("Redis", async () => ({
    counter: await createRedisRateCounter(options()),
    pass,
  }));
});
