import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SluiceError } from "../../src/core/errors.ts";
import type { LeasedWork, WorkQueue } from "../../src/core/ports/work-queue.ts";
import { WORK_LANES } from "../../src/core/ports/work-queue.ts";
import type { JetStreamQueueOptions } from "../../src/stores/queues/jetstream.ts";
import { createJetStreamWorkQueue } from "../../src/stores/queues/jetstream.ts";
import type { NatsServer } from "../support/nats-server.ts";
import { findNatsProblem, startNatsServer } from "../support/nats-server.ts";
import { startTestServer } from "../support/test-server.ts";

const problem = findNatsProblem();
const opened: WorkQueue[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((queue) => queue.close()));
});

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function open(url: string, more: Partial<JetStreamQueueOptions> = {}): Promise<WorkQueue> {
  const queue = await createJetStreamWorkQueue({
    ...{ url, setting: "queue.store.url", prefix: "sluice", connectTimeoutMs: 2000 },
    ...{ timeoutMs: 2000, replicas: 1, dedupMs: 60_000, leaseMs: 3000, epochMs: Date.now },
    ...more,
  });
  opened.push(queue);
  return queue;
}

async function failureOf(promise: Promise<unknown>): Promise<SluiceError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(thrown instanceof SluiceError)) throw new Error(`no SluiceError but ${thrown}`);
  return thrown;
}

/** Numbers in [0, 1) that a seed decides: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe.skipIf(problem !== undefined)(
  `the queue in JetStream${problem ? ` (${problem})` : ""}`,
  () => {
    describe("whose server is killed", () => {
      const KILLS = 22;
      const SEEDS = [1, Date.now() % 1_000_000];
      test.each(SEEDS)(
        `loses no work and does none twice without a reason, over ${KILLS} kills, seed %i`,
        { timeout: 90_000 },
        async (seed) => {
          const server = await startNatsServer();
          try {
            await runKills(server, createRandom(seed), KILLS);
          } finally {
            await Promise.all(opened.splice(0).map((queue) => queue.close()));
            await server.close();
          }
        },
      );

      const ENDS = [
        {
          name: "killed",
          end: (server: NatsServer) => server.kill(),
          begin: (server: NatsServer) => server.restart(),
        },
        {
          name: "frozen",
          end: (server: NatsServer) => server.freeze(),
          begin: (server: NatsServer) => server.thaw(),
        },
      ];
      test.each(ENDS)(
        "says so in time when it is $name, and works again by itself",
        async ({ end, begin }) => {
          const server = await startNatsServer();
          try {
            const queue = await open(server.url, { timeoutMs: 700 });
            await queue.add([{ id: "kept", lane: "low", body: "x" }]);
            await queue.add([{ id: "held", lane: "high", body: "x" }]);
            const [held] = await queue.take({ max: 1, waitMs: 1000, leaseMs: 60_000 });
            await end(server);
            await sleep(100);
            const calls = [
              () => queue.add([{ id: "kept", lane: "low", body: "x" }]),
              () => held?.extend() ?? Promise.resolve(),
              () => held?.done() ?? Promise.resolve(),
              () => queue.take({ max: 1, waitMs: 10_000, leaseMs: 3000 }),
              () => queue.count(),
              () => queue.listDead(5),
              () => queue.revive("b"),
            ];
            for (const call of calls) {
              const began = performance.now();
              const failure = await failureOf(call());
              expect(failure.code).toBe("unavailable");
              expect(failure.message).toContain("queue.store.url");
              expect(failure.message).not.toContain("not-a-secret");
              expect(performance.now() - began).toBeLessThan(1500);
            }
            await begin(server);
            await expect.poll(() => held?.done().catch(() => "down")).toBeUndefined();
            const [work] = await queue.take({ max: 1, waitMs: 5000, leaseMs: 3000 });
            expect(work?.id).toBe("kept");
            await work?.done();
            expect(await queue.take({ max: 1, waitMs: 0, leaseMs: 3000 })).toEqual([]);
          } finally {
            await server.close();
          }
        },
      );
    });

    describe("with a server that stays", () => {
      let server: NatsServer;
      let prefix = 0;
      beforeAll(async () => {
        server = await startNatsServer();
      });
      afterAll(() => server.close());
      const openPair = async (more: Partial<JetStreamQueueOptions> = {}) => {
        const own = { prefix: `test-${++prefix}`, ...more };
        return [await open(server.url, own), await open(server.url, own)] as const;
      };
      const takeOne = async (queue: WorkQueue, leaseMs = 3000): Promise<LeasedWork> => {
        const [work] = await queue.take({ max: 1, waitMs: 5000, leaseMs });
        if (work === undefined) throw new Error("there was no work");
        return work;
      };

      test("two who take at once share the work", async () => {
        const pair = await openPair();
        const messages = Array.from({ length: 400 }, (_, i) => ({
          ...{ id: `w${i}`, lane: "normal" as const, body: `${i}` },
        }));
        await pair[0].add(messages);
        const shares = await Promise.all(
          pair.map(async (queue) => {
            const ids: string[] = [];
            for (;;) {
              const some = await queue.take({ max: 5, waitMs: 0, leaseMs: 10_000 });
              if (some.length === 0) return ids;
              await Promise.all(some.map((work) => work.done()));
              ids.push(...some.map((work) => work.id));
            }
          }),
        );
        expect(shares.flat().toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
        for (const share of shares) expect(share.length).toBeGreaterThan(50);
      });

      test("an id that is still there is the same work for longer than ids are remembered", async () => {
        const [queue] = await openPair({ dedupMs: 200 });
        const message = { id: "one", lane: "normal" as const, body: "first" };
        await queue.add([message]);
        await sleep(600);
        await queue.add([{ ...message, body: "second" }]);
        const work = await takeOne(queue);
        await queue.add([message]);
        expect(work.body).toBe("first");
        await work.done();
        expect(await queue.count()).toEqual({ waiting: 0, leased: 0, dead: 0 });
        await sleep(600);
        await queue.add([message]);
        expect(await queue.count()).toMatchObject({ waiting: 1 });
      });

      test("a lease may differ from the usual one, both ways", async () => {
        const [queue, other] = await openPair({ leaseMs: 3000 });
        await queue.add([{ id: "long", lane: "high", body: "" }]);
        const long = await takeOne(queue, 8000);
        await queue.add([{ id: "short", lane: "high", body: "" }]);
        const short = await takeOne(queue, 500);
        const again = await takeOne(other, 500);
        expect(again).toMatchObject({ id: "short", attempt: 2 });
        expect(await short.extend()).toBe(false);
        await sleep(4500);
        expect(await again.extend()).toBe(false);
        expect(await long.extend()).toBe(true);
        await long.done();
      });

      test("who has lost a lease can neither put the work back nor bury it", async () => {
        const [queue, other] = await openPair();
        await queue.add([{ id: "a", lane: "high", body: "" }]);
        const lost = await takeOne(queue, 300);
        const held = await takeOne(other);
        await lost.retry(0);
        await lost.bury("it is not mine");
        expect(await other.take({ max: 1, waitMs: 600, leaseMs: 3000 })).toEqual([]);
        expect(await queue.listDead(5)).toEqual([]);
        expect(await held.extend()).toBe(true);
        await held.done();
      });

      test("dead letters are told with the newest first, over the gaps of those revived", async () => {
        const [queue] = await openPair();
        const ids = Array.from({ length: 40 }, (_, i) => `dead.${i} é`);
        for (const id of ids) {
          await queue.add([{ id, lane: "low", body: "the body" }]);
          await (await takeOne(queue)).bury("Nobody can.\r\nNever: 100 %");
        }
        for (const id of ids.slice(3, 36)) expect(await queue.revive(id)).toBe(true);
        const left = ids.filter((_, i) => i < 3 || i >= 36).reverse();
        const letters = await queue.listDead(5);
        expect(letters.map(({ id }) => id)).toEqual(left.slice(0, 5));
        expect(letters[0]).toMatchObject({
          ...{ lane: "low", body: "the body", attempts: 1, reason: "Nobody can.\r\nNever: 100 %" },
        });
        expect((await queue.listDead(100)).map(({ id }) => id)).toEqual(left);
        expect(await queue.count()).toEqual({ waiting: 33, leased: 0, dead: 7 });
      });

      test("each lane gets its turns while the others are full", async () => {
        const [queue] = await openPair();
        for (const lane of WORK_LANES) {
          await queue.add(Array.from({ length: 40 }, (_, i) => ({ id: `${i}`, lane, body: "" })));
          await queue.add(
            Array.from({ length: 40 }, (_, i) => ({ id: `${lane}${i}`, lane, body: "" })),
          );
        }
        const lanes: string[] = [];
        for (let i = 0; i < 32; i++) lanes.push((await takeOne(queue, 30_000)).lane);
        expect(new Set(lanes.slice(0, 16))).toEqual(new Set(WORK_LANES));
        expect(lanes.filter((lane) => lane === "high").length).toBeGreaterThanOrEqual(24);
      });

      test("a stream of that name that is no queue is refused", async () => {
        const { connectNats } = await import("../../src/stores/nats/connect.ts");
        const { jetstreamManager } = await import("@nats-io/jetstream");
        const setting = "queue.store.url";
        const connection = await connectNats({ url: server.url, setting, connectTimeoutMs: 2000 });
        const manager = await jetstreamManager(connection);
        await manager.streams.add({ name: "OTHER-WORK", subjects: ["other.>"] });
        await connection.close();
        const failure = await failureOf(open(server.url, { prefix: "other" }));
        expect(failure.message).toContain("OTHER-WORK");
        const overlap = await failureOf(open(server.url, { prefix: "other.part" }));
        expect(overlap.message).toContain("overlap");
      });

      test("streams that somebody removed are made again", async () => {
        const [queue, other] = await openPair();
        const { connectNats } = await import("../../src/stores/nats/connect.ts");
        const { jetstreamManager } = await import("@nats-io/jetstream");
        const setting = "queue.store.url";
        const connection = await connectNats({ url: server.url, setting, connectTimeoutMs: 2000 });
        const manager = await jetstreamManager(connection);
        await manager.streams.delete(`TEST-${prefix}-WORK`);
        await manager.streams.delete(`TEST-${prefix}-DEAD`);
        await connection.close();
        const waiting = takeOne(other);
        await sleep(1000);
        await queue.add([{ id: "a", lane: "low", body: "" }]);
        await (await waiting).bury("it cannot be done");
        expect(await queue.listDead(1)).toHaveLength(1);
      });

      test("jobs are worked on from it", async () => {
        const folder = await mkdtemp(join(tmpdir(), "sluice-jobs-"));
        const app = await startTestServer({
          "models.directory": new URL("../../models", import.meta.url).pathname,
          "records.store.path": join(folder, "records.db"),
          "queue.store.driver": "nats",
          "queue.store.url": server.url,
          "queue.store.prefix": "jobs-test",
        });
        try {
          const queue = await open(server.url, { prefix: "jobs-test" });
          const url = new URL("/v1/jobs", app.url);
          const texts = Array.from({ length: 50 }, (_, i) => `a fine day ${i}`);
          const model = { model: "text-classification", model_version: "1.0.0" };
          const body = JSON.stringify({ ...model, texts });
          const headers = { "content-type": "application/json" };
          const submitted = await fetch(url, { method: "POST", headers, body });
          const { id } = (await submitted.json()) as { id: string };
          expect(submitted.status).toBe(201);
          await expect
            .poll(async () => await (await fetch(`${url}/${id}`)).json(), { timeout: 20_000 })
            .toMatchObject({ state: "completed", rows: { total: 50, done: 50, failed: 0 } });
          await expect.poll(() => queue.count()).toEqual({ waiting: 0, leased: 0, dead: 0 });
        } finally {
          await app.drain();
          await rm(folder, { recursive: true, force: true });
        }
      });

      test("a wrong password is told, and not what it was", async () => {
        const url = server.url.replace("not-a-secret", "hunter2");
        const failure = await failureOf(open(url));
        expect(failure.code).toBe("unavailable");
        expect(failure.message).toMatch(/refuses the user.*queue\.store\.url/);
        expect(failure.message).not.toContain("hunter2");
      });
    });

    test("a server without JetStream is told", async () => {
      const server = await startNatsServer({ jetStream: false });
      try {
        const failure = await failureOf(open(server.url, { timeoutMs: 1000 }));
        expect(failure.code).toBe("unavailable");
        expect(failure.message).toMatch(/JetStream.*-js.*queue\.store\.url/);
      } finally {
        await server.close();
      }
    });

    test("no server at all is told", async () => {
      const failure = await failureOf(open("nats://user:hunter2@127.0.0.1:9"));
      expect(failure.message).toMatch(/127\.0\.0\.1:9.*cannot be reached.*queue\.store\.url/);
      expect(failure.message).not.toContain("hunter2");
    });
  },
);

const LEASE_MS = 3000;

/** Two clients add, take and settle while the server is killed again and again. */
async function runKills(server: NatsServer, random: () => number, kills: number): Promise<void> {
  const queues = [await open(server.url), await open(server.url)] as const;
  const accepted = new Set<string>();
  /** By id: in which epochs those were who took it and ended it. */
  const ends = new Map<string, number[]>();
  /** Begins anew with every kill, and with every start. */
  let epoch = 0;
  let isOver = false;

  const persist = async <T>(act: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await act();
      } catch (thrown) {
        if (!(thrown instanceof SluiceError) || thrown.code !== "unavailable") throw thrown;
        await sleep(20);
      }
    }
  };
  const add = async () => {
    for (let i = 0; !isOver; i++) {
      const messages = Array.from({ length: 1 + Math.floor(random() * 20) }, (_, k) => ({
        id: `${i}.${k}`,
        lane: WORK_LANES[Math.floor(random() * 3)] ?? "normal",
        body: `${i}.${k}`.repeat(20),
      }));
      await persist(() => queues[0].add(messages));
      for (const { id } of messages) accepted.add(id);
      await sleep(random() * 100);
    }
  };
  const settle = async (work: LeasedWork) => {
    const takenIn = epoch;
    await sleep(random() * 30);
    const luck = random();
    try {
      if (luck < 0.1) return await work.retry(random() * 300);
      const began = performance.now();
      await (luck < 0.15 ? work.bury("by chance") : work.done());
      if (performance.now() - began > LEASE_MS) throw new Error("settling took too long");
    } catch (thrown) {
      if (thrown instanceof SluiceError && thrown.code === "unavailable") return;
      throw thrown;
    }
    ends.set(work.id, [...(ends.get(work.id) ?? []), takenIn]);
  };
  const take = async (queue: WorkQueue) => {
    for (let idleMs = 0; !isOver || idleMs < 2 * LEASE_MS; ) {
      const some = await persist(() => queue.take({ max: 5, waitMs: 500, leaseMs: LEASE_MS }));
      idleMs = some.length > 0 ? 0 : idleMs + 500;
      await Promise.all(some.map(settle));
    }
  };
  const kill = async () => {
    for (let i = 0; i < kills; i++) {
      await sleep(150 + random() * 700);
      epoch++;
      await server.kill();
      await sleep(20 + random() * 200);
      epoch++;
      await server.restart();
    }
    await sleep(500);
    isOver = true;
  };
  await Promise.all([kill(), add(), ...[...queues, ...queues].map(take)]);

  expect([...accepted].filter((id) => !ends.has(id))).toEqual([]);
  expect(accepted.size).toBeGreaterThan(500);
  // Nobody takes what another has ended, unless the server was killed after the first of the two had taken it.
  const withoutReason = [...ends].filter(([, epochs]) => new Set(epochs).size < epochs.length);
  expect(withoutReason).toEqual([]);
  const twice = [...ends.values()].filter((epochs) => epochs.length > 1).length;
  console.info(`${accepted.size} accepted, ${twice} of them ended twice because of ${kills} kills`);
  // Of leases whose message is gone, nats-server 2.9.10 may remember some for ever.
  expect(await queues[0].count()).toMatchObject({ waiting: 0 });
}
