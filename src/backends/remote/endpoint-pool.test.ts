import { expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import type { RemoteEndpoint } from "./attempt.ts";
import type { EndpointPool, EndpointPoolOptions } from "./endpoint-pool.ts";
import { createEndpointPool } from "./endpoint-pool.ts";

/** What a server does with the next requests: answers, or fails with a code; "hang" never settles. */
type Behaviour = "answer" | "hang" | ErrorCode;

const URLS = ["a", "b", "c"];

class Servers {
  readonly clock = new FakeClock();
  readonly behaviours = new Map<string, Behaviour>();
  readonly asked: string[] = [];
  readonly changes: string[] = [];
  readonly pool: EndpointPool<RemoteEndpoint>;

  constructor(options: Partial<EndpointPoolOptions<RemoteEndpoint>> = {}, urls = URLS) {
    this.pool = createEndpointPool({
      endpoints: urls.map((url) => ({ url })),
      clock: this.clock,
      observer: { endpointChanged: (url, from, to) => this.changes.push(`${url} ${from} ${to}`) },
      ...options,
    });
  }

  run(deadlineMs?: number): Promise<string> {
    const attempt = ({ url }: RemoteEndpoint) => {
      this.asked.push(url);
      return this.behave(url);
    };
    return this.pool.run(attempt, deadlineMs === undefined ? {} : { deadlineMs });
  }

  async behave(url: string): Promise<string> {
    const behaviour = this.behaviours.get(url) ?? "answer";
    if (behaviour === "hang") return new Promise(() => {});
    if (behaviour === "answer") return url;
    throw new SluiceError(behaviour, `${url} failed`, { retryAfterMs: 77 });
  }

  /** Runs until the endpoint is out. */
  async exhaust(url: string): Promise<void> {
    for (let i = 0; i < 30 && !this.changes.includes(`${url} healthy ejected`); i++) {
      await this.run().catch(() => {});
    }
  }
}

test("requests spread over the endpoints in turn", async () => {
  const servers = new Servers();
  for (let i = 0; i < 6; i++) await servers.run();
  expect(servers.asked).toEqual(["a", "b", "c", "a", "b", "c"]);
});

test("an endpoint that is slow to answer gets what the others have less of", async () => {
  const servers = new Servers();
  servers.behaviours.set("a", "hang");
  for (let i = 0; i < 9; i++) {
    servers.run().catch(() => {});
    await servers.clock.settle();
  }
  expect(servers.asked.filter((url) => url === "a")).toHaveLength(1);
});

test("a request that finds a server gone is answered by another", async () => {
  const servers = new Servers();
  servers.behaviours.set("a", "unavailable").set("b", "unavailable");
  await expect(servers.run()).resolves.toBe("c");
  expect(servers.asked).toEqual(["a", "b", "c"]);
});

test("an answer about the request passes through as it came, and nobody else is asked", async () => {
  for (const code of ["invalid_argument", "overloaded", "model_failed"] as const) {
    const servers = new Servers();
    servers.behaviours.set("a", code);
    await expect(servers.run()).rejects.toMatchObject({
      code,
      message: "a failed",
      retryAfterMs: 77,
    });
    expect(servers.asked).toEqual(["a"]);
  }
});

test("an endpoint that is gone is left alone until its cool-down is over, then one request tries it", async () => {
  const servers = new Servers();
  servers.behaviours.set("a", "unavailable");
  await servers.exhaust("a");
  expect(servers.pool.healthyEndpoints).toBe(2);
  servers.asked.length = 0;
  for (let i = 0; i < 10; i++) await servers.run();
  expect(servers.asked).not.toContain("a");
  await servers.clock.advance(500);
  // The trial fails, which costs its request nothing but time.
  await expect(servers.run()).resolves.not.toBe("a");
  expect(servers.asked.filter((url) => url === "a")).toHaveLength(1);
  servers.behaviours.set("a", "answer");
  await servers.clock.advance(999);
  expect(servers.pool.healthyEndpoints).toBe(2);
  await servers.clock.advance(1);
  await expect(servers.run()).resolves.toBe("a");
  expect(servers.pool.healthyEndpoints).toBe(3);
});

test("only one request at a time is a trial", async () => {
  const servers = new Servers();
  servers.behaviours.set("a", "unavailable");
  await servers.exhaust("a");
  await servers.clock.advance(500);
  servers.behaviours.set("a", "hang");
  servers.asked.length = 0;
  const runs = [servers.run(), servers.run(), servers.run(), servers.run()];
  await servers.clock.settle();
  expect(servers.asked.filter((url) => url === "a")).toHaveLength(1);
  await servers.clock.advance(30_000);
  expect(await Promise.all(runs)).toHaveLength(4);
});

test("with a health probe no request is a trial, and probing goes on until it succeeds", async () => {
  const probed: number[] = [];
  const servers: Servers = new Servers({
    probe: async ({ url }) => {
      probed.push(servers.clock.nowMs());
      await servers.behave(url);
    },
  });
  servers.behaviours.set("a", "unavailable");
  await servers.exhaust("a");
  servers.asked.length = 0;
  await servers.clock.advance(4_000);
  expect(probed).toEqual([500, 1_500, 3_500]);
  await servers.run();
  expect(servers.asked).not.toContain("a");
  servers.behaviours.set("a", "answer");
  await servers.clock.advance(4_000);
  expect(servers.pool.healthyEndpoints).toBe(3);
});

test("a probe that hangs is given up", async () => {
  const servers: Servers = new Servers({ probe: () => new Promise(() => {}) });
  servers.behaviours.set("a", "unavailable");
  await servers.exhaust("a");
  await servers.clock.advance(2_499);
  expect(servers.changes.at(-1)).toBe("a ejected probing");
  await servers.clock.advance(1);
  expect(servers.changes.at(-1)).toBe("a probing ejected");
});

test("when every server is gone, requests are refused at once and told when to come back", async () => {
  const servers = new Servers({ maxAttemptsPerEndpoint: 1 });
  for (const url of URLS) servers.behaviours.set(url, "unavailable");
  for (const url of URLS) await servers.exhaust(url);
  servers.asked.length = 0;
  await servers.clock.advance(200);
  const refused = await servers.run().catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "unavailable", retryAfterMs: expect.any(Number) });
  expect(refused).toHaveProperty("retryAfterMs", 300);
  expect(servers.asked).toEqual([]);
  for (const url of URLS) servers.behaviours.set(url, "answer");
  await servers.clock.advance(300);
  await expect(servers.run()).resolves.toBeTypeOf("string");
});

test("an attempt that takes too long is tried elsewhere while there is time", async () => {
  const servers = new Servers({ attemptTimeoutMs: 100 });
  servers.behaviours.set("a", "hang");
  const run = servers.run(1_000);
  await servers.clock.advance(100);
  await expect(run).resolves.toBe("b");
});

test("a deadline ends the request whatever its server does, and is no fault of the server's", async () => {
  const servers = new Servers({ attemptTimeoutMs: 100 }, ["a"]);
  servers.behaviours.set("a", "hang");
  for (let i = 0; i < 10; i++) {
    const run = servers.run(servers.clock.nowMs() + 5);
    const late = expect(run).rejects.toMatchObject({ code: "deadline_exceeded" });
    await servers.clock.advance(5);
    await late;
  }
  expect(servers.pool.healthyEndpoints).toBe(1);
});

test("a single server is asked once more after a pause", async () => {
  const servers = new Servers({ retryDelayMs: 50 }, ["a"]);
  servers.behaviours.set("a", "unavailable");
  const run = servers.run();
  await servers.clock.advance(49);
  expect(servers.asked).toEqual(["a"]);
  servers.behaviours.set("a", "answer");
  await servers.clock.advance(1);
  await expect(run).resolves.toBe("a");
});

test("retries stay within the budget", async () => {
  const denied: string[] = [];
  const servers = new Servers({
    retryShare: 0.2,
    minRetriesPerSecond: 0,
    ejectAfterFailures: 1_000,
    ejectAtFailureRate: 1,
    observer: { retryDenied: (url) => denied.push(url) },
  });
  for (const url of URLS) servers.behaviours.set(url, "unavailable");
  for (let i = 0; i < 100; i++) await servers.run().catch(() => {});
  expect(servers.asked).toHaveLength(120);
  expect(denied.length).toBeGreaterThan(0);
});

test("close stops the probes, refuses new requests and waits for those that run", async () => {
  let probes = 0;
  const servers: Servers = new Servers({
    maxAttempts: 2,
    probe: async () => {
      probes++;
    },
  });
  servers.behaviours.set("a", "unavailable");
  await servers.exhaust("a");
  servers.behaviours.set("b", "hang").set("c", "hang");
  const running = servers.run().catch((error: unknown) => error);
  await servers.clock.settle();
  let closed = false;
  const closing = Promise.all([servers.pool.close(), servers.pool.close()]).then(() => {
    closed = true;
  });
  await expect(servers.run()).rejects.toMatchObject({ code: "unavailable" });
  await servers.clock.advance(10_000);
  expect({ probes, closed }).toEqual({ probes: 0, closed: false });
  await servers.clock.advance(90_000);
  await running;
  await closing;
  expect(closed).toBe(true);
});

test("a pool without servers is refused", () => {
  expect(() => createEndpointPool({ endpoints: [], clock: new FakeClock() })).toThrow(SluiceError);
});
