import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LeasedWork, WorkLane, WorkQueue } from "../../src/core/ports/work-queue.ts";

/** Two handles on the same queue, as two processes have them. */
export interface WorkQueuesUnderTest {
  readonly first: WorkQueue;
  readonly second: WorkQueue;
  close(): Promise<void>;
}

/** Long enough that no lease runs out by chance. */
const LONG_MS = 30_000;

/** What every driver of the work queue must do. */
export function describeWorkQueue(name: string, open: () => Promise<WorkQueuesUnderTest>): void {
  describe(`work queue: ${name}`, () => {
    let queues: WorkQueuesUnderTest;
    let run = 0;
    beforeAll(async () => {
      queues = await open();
    });
    afterAll(() => queues.close());
    beforeEach(async () => {
      run++;
      // What an earlier test left.
      for (;;) {
        const rest = await queues.first.take({ max: 100, waitMs: 50, leaseMs: LONG_MS });
        if (rest.length === 0) break;
        await Promise.all(rest.map((work) => work.done()));
      }
    });

    const message = (id: number | string, lane: WorkLane = "normal") => ({
      ...{ id: `${run}-${id}`, lane, body: `body of ${id}` },
    });
    const take = (max: number, { leaseMs = LONG_MS, waitMs = 500, queue = queues.first } = {}) =>
      queue.take({ max, waitMs, leaseMs });
    const takeOne = async (options: Parameters<typeof take>[1] = {}): Promise<LeasedWork> => {
      const [work] = await take(1, options);
      if (work === undefined) throw new Error("there was no work");
      return work;
    };

    test("work is handed out as it was added, once", async () => {
      await queues.first.add([message(1), message(2)]);
      const taken = [...(await take(1)), ...(await take(5, { queue: queues.second }))];
      expect(taken.map(({ id, lane, body, attempt }) => ({ id, lane, body, attempt }))).toEqual([
        { ...message(1), attempt: 1 },
        { ...message(2), attempt: 1 },
      ]);
      expect(await take(1, { waitMs: 50 })).toEqual([]);
      await Promise.all(taken.map((work) => work.done()));
    });

    test("the same id is the same work, while it waits, while it is done, and after", async () => {
      await queues.first.add([message("a"), message("a")]);
      await queues.second.add([message("a")]);
      const work = await takeOne();
      await queues.first.add([message("a")]);
      await work.done();
      await work.done();
      await queues.first.add([message("a")]);
      expect(await take(1, { waitMs: 100 })).toEqual([]);
    });

    test("a taker that waits gets work that is added by another", async () => {
      const waiting = takeOne({ waitMs: 5000 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await queues.second.add([message(1)]);
      expect((await waiting).id).toBe(message(1).id);
      await (await waiting).done();
    });

    test("a lease that nobody extends ends, and the work is handed out again", async () => {
      await queues.first.add([message(1)]);
      const lost = await takeOne({ leaseMs: 1000 });
      expect(await take(1, { waitMs: 100 })).toEqual([]);
      const again = await takeOne({ waitMs: 5000, queue: queues.second });
      expect(again).toMatchObject({ id: lost.id, attempt: 2 });
      await again.done();
    });

    test("a lease that is extended does not end", async () => {
      await queues.first.add([message(1)]);
      const work = await takeOne({ leaseMs: 1000 });
      for (let i = 0; i < 4; i++) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        expect(await work.extend()).toBe(true);
      }
      expect(await take(1, { waitMs: 50, queue: queues.second })).toEqual([]);
      await work.done();
      expect(await take(1, { waitMs: 1500, queue: queues.second })).toEqual([]);
    });

    test("work that is tried again waits for its delay", async () => {
      await queues.first.add([message(1)]);
      await (await takeOne()).retry(600);
      expect(await take(1, { waitMs: 100 })).toEqual([]);
      const again = await takeOne({ waitMs: 5000 });
      expect(again.attempt).toBe(2);
      await again.retry(0);
      const third = await takeOne({ waitMs: 5000 });
      expect(third.attempt).toBe(3);
      await third.done();
    });

    test("buried work is a dead letter until it is revived", async () => {
      await queues.first.add([message("dead", "high")]);
      await (await takeOne()).bury("it cannot be done");
      expect(await take(1, { waitMs: 100 })).toEqual([]);
      const [letter] = await queues.second.listDead(10);
      expect(letter).toMatchObject({
        ...message("dead", "high"),
        ...{ attempts: 1, reason: "it cannot be done" },
      });
      expect(Math.abs((letter?.buriedAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await queues.first.revive(message("dead").id)).toBe(true);
      expect(await queues.first.revive(message("dead").id)).toBe(false);
      expect(await queues.first.revive("no such work")).toBe(false);
      const again = await takeOne({ waitMs: 5000 });
      expect(again).toMatchObject({ ...message("dead", "high"), attempt: 1 });
      await again.done();
      expect(await queues.first.listDead(10)).toEqual([]);
    });

    test("higher lanes go first, and lower ones are not forgotten", async () => {
      await queues.first.add([message("low", "low"), message("normal")]);
      await queues.first.add(Array.from({ length: 30 }, (_, i) => message(`high ${i}`, "high")));
      const order: WorkLane[] = [];
      for (let i = 0; i < 32; i++) {
        const work = await takeOne({ waitMs: 2000 });
        order.push(work.lane);
        await work.done();
      }
      expect(order.filter((lane) => lane === "high")).toHaveLength(30);
      expect(order.slice(0, 3)).toContain("high");
      expect(order.slice(0, 24)).not.toEqual(new Array(24).fill("high"));
    });

    test("it can be told how much work there is", async () => {
      const before = await queues.first.count();
      await queues.first.add([message(1), message(2), message(3)]);
      const work = await takeOne();
      await expect
        .poll(() => queues.second.count(), { timeout: 3000 })
        .toEqual({ waiting: before.waiting + 2, leased: before.leased + 1, dead: before.dead });
      await work.done();
    });

    test("many takers do everything, each piece once", async () => {
      const total = 300;
      const messages = Array.from({ length: total }, (_, i) => message(i));
      await queues.first.add(messages);
      const done: string[] = [];
      const taker = async (queue: WorkQueue) => {
        while (done.length < total) {
          const some = await queue.take({ max: 7, waitMs: 200, leaseMs: LONG_MS });
          for (const work of some) done.push(work.id);
          await Promise.all(some.map((work) => work.done()));
        }
      };
      await Promise.all([queues.first, queues.second, queues.first, queues.second].map(taker));
      expect(done.toSorted()).toEqual(messages.map(({ id }) => id).toSorted());
    });

    test("a body may be long, but not longer than is allowed", async () => {
      const body = "é".repeat(32 * 1024);
      await queues.first.add([{ ...message(1), body }]);
      const work = await takeOne();
      expect(work.body).toBe(body);
      await work.done();
      await expect(queues.first.add([{ ...message(2), body: `${body}x` }])).rejects.toMatchObject({
        code: "invalid_argument",
        message: expect.stringContaining("65536"),
      });
    });
  });
}
