import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { CacheStore } from "../../src/core/ports/cache-store.ts";
import { createRedisCacheStore } from "../../src/stores/cache/redis.ts";
import { createRedisRateCounter } from "../../src/stores/rate-counters/redis.ts";
import { startOldRedis } from "../support/old-servers.ts";
import type { RedisServer } from "../support/redis-server.ts";
import { findRedisProblem, startRedisServer } from "../support/redis-server.ts";
import { findSmallDiskProblem, mountDisk } from "../support/small-disk.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const MODELS = new URL("../../models", import.meta.url).pathname;
const problem = findRedisProblem();
const note = problem === undefined ? "" : ` [skipped: ${problem}]`;
const diskProblem = findSmallDiskProblem();
const VALUE = Float32Array.of(1, 2, 3);

describe.skipIf(problem !== undefined)(`the cache in Redis${note}`, () => {
  let redis: RedisServer;
  let store: CacheStore | undefined;
  let heard: (string | undefined)[] = [];
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(() => redis.close());
  afterEach(() => store?.close());

  const open = async (url = redis.url, prefix = "a:") => {
    heard = [];
    store = await createRedisCacheStore({
      ...{ url, prefix, setting: "cache.store.url", timeoutMs: 20, connectTimeoutMs: 1000 },
      nowMs: () => performance.now(),
      changed: (why) => heard.push(why),
    });
    return store;
  };
  /** The longest of many calls, failed or not, in milliseconds. */
  const measureLongest = async (calls: number, call: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let i = 0; i < calls; i++) {
      const startedMs = performance.now();
      await call().catch(() => {});
      times.push(performance.now() - startedMs);
    }
    return times.toSorted((a, b) => b - a);
  };
  const waitUntilItAnswers = async (cache: CacheStore) => {
    const read = async () =>
      await cache.getMany(["x"]).then(
        () => true,
        () => false,
      );
    await expect.poll(read, { timeout: 15_000, interval: 50 }).toBe(true);
  };

  test("a server that hangs is passed over at once after three calls of 20 ms, and comes back by itself", async () => {
    const cache = await open();
    await cache.set("x", VALUE, 60_000);
    redis.pause();
    const times = await measureLongest(200, () => cache.getMany(["x"]));
    // A median tells the state, the machine's hiccups do not: three of 200 calls waited at all.
    expect(times[100]).toBeLessThan(5);
    expect(heard).toEqual([expect.stringContaining("no answer in 20 ms")]);
    redis.resume();
    await waitUntilItAnswers(cache);
    expect(await cache.getMany(["x"])).toEqual([VALUE]);
    expect(heard.at(-1)).toBeUndefined();
  }, 30_000);

  test("a server that is killed fails calls at once; when it is back, it is used again", async () => {
    const cache = await open();
    await cache.set("x", VALUE, 60_000);
    await redis.kill();
    await expect(cache.getMany(["x"])).rejects.toMatchObject({ code: "unavailable" });
    const times = await measureLongest(100, () => cache.getMany(["x"]));
    expect(times[50]).toBeLessThan(5);
    await redis.restart();
    await waitUntilItAnswers(cache);
    expect(await cache.getMany(["x"])).toEqual([undefined]);
    await cache.set("x", VALUE, 60_000).catch(() => {});
  }, 30_000);

  test("one that is not there yet is no reason not to start", async () => {
    await redis.kill();
    const cache = await open();
    expect(heard).toEqual([expect.stringContaining("cannot be reached; start it")]);
    expect(String(heard)).not.toContain("not-a-secret");
    await redis.restart();
    await waitUntilItAnswers(cache);
  }, 30_000);

  test("a full server takes nothing new, and is read from all the same", async () => {
    const full = await startRedisServer(["--maxmemory", "3mb", "--maxmemory-policy", "noeviction"]);
    const cache = await open(full.url, "full:");
    await cache.set("x", VALUE, 60_000);
    let failure: unknown;
    for (let i = 0; i < 200 && failure === undefined; i++) {
      const filler = new Float32Array(16_384);
      await cache.set(`filler ${i}`, filler, 60_000).catch((error: unknown) => {
        if (String(error).includes("full")) failure = error;
      });
    }
    expect(failure).toMatchObject({
      code: "unavailable",
      message:
        "The Redis server of cache.store.url is full; raise its maxmemory, or set its maxmemory-policy to allkeys-lru.",
    });
    expect(await cache.getMany(["x"])).toEqual([VALUE]);
    await full.close();
  }, 30_000);

  test("a value that somebody else put there is a miss", async () => {
    const { Redis } = await import("ioredis");
    const cache = await open(redis.url, "odd:");
    const client = new Redis(redis.url);
    await client.set("odd:cache:1:short", "abc");
    await client.lpush("odd:cache:1:list", "abc");
    await client.quit();
    expect(await cache.getMany(["short", "list"])).toEqual([undefined, undefined]);
  });

  test.each([
    ["a wrong password", () => `redis://:wrong@127.0.0.1:${redis.port}`, "correct them"],
    ["no password", () => `redis://127.0.0.1:${redis.port}`, "correct them"],
    ["no such database", () => `${redis.url}/99`, "name another"],
  ])("%s refuses the start with the fix", async (_name, url, fix) => {
    const failure = await open(url()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unavailable" });
    expect(String(failure)).toContain("cache.store.url");
    expect(String(failure)).toContain(fix);
    expect(String(failure)).not.toContain("wrong@");
  });

  test("a server that is too old refuses the start", async () => {
    const old = await startOldRedis("5.0.14");
    await expect(open(`redis://127.0.0.1:${old.port}`)).rejects.toThrow(
      "The Redis server of cache.store.url has version 5.0.14; it needs 6 or newer.",
    );
    await old.close();
  });

  test.skipIf(diskProblem !== undefined)(
    `one whose folder can only be read is told, and used again when it can be written${diskProblem ? ` [skipped: ${diskProblem}]` : ""}`,
    async () => {
      const { Redis } = await import("ioredis");
      const disk = mountDisk(1024);
      const stuck = await startRedisServer(["--dir", disk.path]);
      const cache = await open(stuck.url, "disk:");
      await cache.set("x", VALUE, 60_000);
      const admin = new Redis(stuck.url);
      disk.makeReadOnly();
      // From now on it wants to save, cannot, and takes no writes until it can.
      await admin.config("SET", "save", "3600 1");
      await admin.bgsave();
      const write = async () =>
        await cache.set("y", VALUE, 60_000).then(
          () => "",
          (error: unknown) => String(error),
        );
      await expect
        .poll(write, { timeout: 10_000 })
        .toContain("cache.store.url cannot write to its disk; free some");
      expect(await cache.getMany(["x"])).toEqual([VALUE]);
      disk.makeWritable();
      await admin.bgsave();
      await expect.poll(write, { timeout: 10_000 }).toBe("");
      await admin.quit();
      await stuck.close();
      disk.remove();
    },
    30_000,
  );
});

describe.skipIf(problem !== undefined)(`counters in Redis${note}`, () => {
  const openCounter = (url: string) =>
    createRedisRateCounter({
      ...{ url, prefix: "c:", setting: "rateLimit.store.url", connectTimeoutMs: 1000 },
      timeoutMs: 1000,
      nowMs: () => performance.now(),
      changed: () => {},
    });

  test("a full server is told with the fix, and counts on from the same number when there is room", async () => {
    const { Redis } = await import("ioredis");
    const redis = await startRedisServer(["--maxmemory-policy", "noeviction"]);
    const counter = await openCounter(redis.url);
    const admin = new Redis(redis.url);
    expect((await counter.hit("a", 60_000)).count).toBe(1);
    await admin.config("SET", "maxmemory", "1");
    await expect(counter.hit("a", 60_000)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("rateLimit.store.url is full; raise its maxmemory"),
    });
    await admin.config("SET", "maxmemory", "0");
    expect((await counter.hit("a", 60_000)).count).toBe(2);
    await admin.quit();
    await counter.close();
    await redis.close();
  });

  test("a wrong password, and a server that is too old, refuse the start with the setting", async () => {
    const redis = await startRedisServer();
    const wrong = openCounter(redis.url.replace("not-a-secret", "hunter2"));
    const failure = await wrong.catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/rateLimit\.store\.url refuses the user or password; correct/),
    });
    expect(String(failure)).not.toContain("hunter2");
    await redis.close();
    const old = await startOldRedis("5.0.14");
    await expect(openCounter(`redis://127.0.0.1:${old.port}`)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringMatching(/rateLimit\.store\.url has version 5\.0\.14; it needs 6/),
    });
    await old.close();
  });
});

describe.skipIf(problem !== undefined)(`gateways that share a Redis server${note}`, () => {
  let redis: RedisServer;
  const servers: TestServer[] = [];
  beforeAll(async () => {
    redis = await startRedisServer();
  });
  afterAll(async () => {
    for (const server of servers) await server.drain();
    await redis.close();
  });
  const start = async (settings: Readonly<Record<string, string>>) => {
    const server = await startTestServer({
      "models.directory": MODELS,
      "cache.store.driver": "redis",
      "cache.store.url": redis.url,
      // What is computed on a busy machine is not to be late here.
      "cache.store.timeoutMs": "2000",
      "rateLimit.store.driver": "redis",
      "rateLimit.store.url": redis.url,
      "rateLimit.store.timeoutMs": "2000",
      ...settings,
    });
    servers.push(server);
    return server;
  };
  const statusOf = async (server: TestServer) => (await server.classify({ text: "fine" })).status;

  test("an allowance holds for all of them together, to the request", async () => {
    const limit = { "rateLimit.requests": "30", "rateLimit.store.prefix": "limits:" };
    const [first, second] = [await start(limit), await start(limit)];
    const statuses = await Promise.all(
      Array.from({ length: 80 }, (_, i) => statusOf(i % 2 === 0 ? first : second)),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(30);
    expect(statuses.filter((status) => status === 429)).toHaveLength(50);
  });

  test("of 100 texts of which another gateway has answered 90, 10 are computed", async () => {
    const off = { "rateLimit.requests": "0", "cache.store.prefix": "cache:" };
    const [first, second] = [await start(off), await start(off)];
    const texts = Array.from({ length: 100 }, (_, i) => `item number ${i}`);
    await first.classify({ texts: texts.slice(0, 90) });
    const countOf = async () => {
      const page = await (await fetch(`${second.url}/metrics`)).text();
      const [, count] = /^ai_model_answers_total\{.*source="model".*\} (\d+)$/m.exec(page) ?? [];
      return Number(count ?? 0);
    };
    const before = await countOf();
    const answer = await second.classify({ texts });
    expect(answer.status).toBe(200);
    expect((await countOf()) - before).toBe(10);
  });

  test("while Redis is away, requests are answered, or refused where that is set", async () => {
    const limit = { "rateLimit.requests": "5", "rateLimit.store.timeoutMs": "20" };
    const [own, allow, refuse] = [
      await start({ ...limit, "rateLimit.store.prefix": "own:" }),
      await start({ ...limit, "rateLimit.store.whenDown": "allow" }),
      await start({ ...limit, "rateLimit.store.whenDown": "refuse" }),
    ];
    await redis.kill();
    const ask = async (server: TestServer) => {
      const statuses: number[] = [];
      for (let i = 0; i < 8; i++) statuses.push(await statusOf(server));
      return statuses;
    };
    expect(await ask(own)).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
    expect(await ask(allow)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(await ask(refuse)).toEqual(Array.from({ length: 8 }, () => 503));
    await redis.restart();
    await expect.poll(() => statusOf(refuse), { timeout: 15_000 }).toBe(200);
  }, 40_000);
});
