import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EventOutbox } from "../../src/core/ports/event-outbox.ts";
import { toSampleEvent } from "../support/sample-event.ts";

/** Two handles on the same data, as two processes have them, and the clock of both. */
export interface OutboxUnderTest {
  readonly first: EventOutbox;
  readonly second: EventOutbox;
  /** Lets this much time pass for both. */
  pass(ms: number): void;
  /** Makes everything as if it were new. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

const LEASE_MS = 10_000;

/** What every outbox must do. */
export function describeEventOutbox(name: string, open: () => Promise<OutboxUnderTest>): void {
  describe(`event outbox: ${name}`, () => {
    let outbox: OutboxUnderTest;
    beforeAll(async () => {
      outbox = await open();
    });
    afterAll(() => outbox.close());
    const append = (ids: readonly string[], destinations: readonly string[] = ["webhooks.a"]) =>
      outbox.first.append(ids.map((id) => ({ event: toSampleEvent(id), destinations })));

    test("hands out what was appended, whole, oldest first, once for each destination", async () => {
      await outbox.clear();
      await append(["e1", "e2"], ["webhooks.a", "nats", "nats"]);
      const taken = await outbox.second.take(10, LEASE_MS);
      expect(taken).toHaveLength(4);
      const toA = taken.filter(({ destination }) => destination === "webhooks.a");
      expect(toA).toEqual([
        { event: toSampleEvent("e1"), destination: "webhooks.a", attempt: 1 },
        { event: toSampleEvent("e2"), destination: "webhooks.a", attempt: 1 },
      ]);
      expect(await outbox.first.take(10, LEASE_MS)).toEqual([]);
      for (const delivery of taken) await outbox.second.delivered(delivery);
      expect(await outbox.first.count()).toEqual({ waiting: 0, failed: 0 });
      outbox.pass(LEASE_MS * 2);
      expect(await outbox.first.take(10, LEASE_MS)).toEqual([]);
    });

    test("an event with texts of any kind comes back as it was", async () => {
      await outbox.clear();
      const event = { ...toSampleEvent("odd"), data: { text: "键\u0000'\"\\ \ud800", n: 1e-7 } };
      await outbox.first.append([{ event, destinations: ["url:https://example.org/?a=1"] }]);
      const [taken] = await outbox.first.take(1, LEASE_MS);
      expect(taken?.event).toEqual(event);
      expect(taken?.destination).toBe("url:https://example.org/?a=1");
    });

    test("the same id is stored once, also when two append it at the same time", async () => {
      await outbox.clear();
      const events = [{ event: toSampleEvent("same"), destinations: ["webhooks.a"] }];
      await Promise.all([
        outbox.first.append(events),
        outbox.second.append([...events, ...events]),
      ]);
      await outbox.first.append(events);
      expect(await outbox.first.count()).toEqual({ waiting: 1, failed: 0 });
      const [taken] = await outbox.first.take(10, LEASE_MS);
      if (taken !== undefined) await outbox.first.delivered(taken);
      await outbox.second.append(events);
      expect(await outbox.first.count()).toEqual({ waiting: 0, failed: 0 });
    });

    test("a lease that runs out is handed out again, and then its old owner settles nothing but success", async () => {
      await outbox.clear();
      await append(["lease"]);
      const [first] = await outbox.first.take(1, LEASE_MS);
      outbox.pass(LEASE_MS - 1);
      expect(await outbox.second.take(1, LEASE_MS)).toEqual([]);
      outbox.pass(1);
      const [second] = await outbox.second.take(1, LEASE_MS);
      expect(second?.attempt).toBe(2);
      if (first === undefined || second === undefined) throw new Error("nothing was taken");
      await outbox.first.retry(first, 0);
      await outbox.first.fail(first, "too late");
      expect(await outbox.first.take(1, LEASE_MS)).toEqual([]);
      expect(await outbox.first.count()).toEqual({ waiting: 1, failed: 0 });
      await outbox.first.delivered(first);
      expect(await outbox.first.count()).toEqual({ waiting: 0, failed: 0 });
      await outbox.second.fail(second, "it was there");
      expect(await outbox.first.count()).toEqual({ waiting: 0, failed: 0 });
    });

    test("a delivery that is put back waits for its delay, and counts its attempts", async () => {
      await outbox.clear();
      await append(["again"]);
      const [first] = await outbox.first.take(1, LEASE_MS);
      if (first === undefined) throw new Error("nothing was taken");
      await outbox.first.retry(first, 60_000);
      outbox.pass(59_999);
      expect(await outbox.second.take(1, LEASE_MS)).toEqual([]);
      outbox.pass(1);
      const [second] = await outbox.second.take(1, LEASE_MS);
      expect(second?.attempt).toBe(2);
      if (second === undefined) throw new Error("nothing was taken");
      await outbox.second.retry(second, 0);
      expect((await outbox.first.take(1, LEASE_MS))[0]?.attempt).toBe(3);
    });

    test("what was given up is listed, the newest first, and is not handed out", async () => {
      await outbox.clear();
      await append(["f1", "f2", "f3"]);
      for (const delivery of await outbox.first.take(3, LEASE_MS)) {
        outbox.pass(1000);
        await outbox.first.fail(delivery, `reason of ${delivery.event.id}`);
      }
      const failed = await outbox.second.listFailed(2);
      expect(failed.map(({ event, reason }) => [event.id, reason])).toEqual([
        ["f3", "reason of f3"],
        ["f2", "reason of f2"],
      ]);
      expect((failed[0]?.failedAtMs ?? 0) - (failed[1]?.failedAtMs ?? 0)).toBe(1000);
      expect(await outbox.first.count()).toEqual({ waiting: 0, failed: 3 });
      outbox.pass(LEASE_MS * 2);
      expect(await outbox.first.take(3, LEASE_MS)).toEqual([]);
    });

    test("a destination with much to do leaves room for the others, and those named are passed over", async () => {
      await outbox.clear();
      await append(
        Array.from({ length: 50 }, (_, i) => `many-${i}`),
        ["webhooks.slow"],
      );
      await append(["one"], ["webhooks.other"]);
      const taken = await outbox.first.take(8, LEASE_MS);
      expect(taken.map(({ destination }) => destination)).toContain("webhooks.other");
      expect(taken.length).toBeLessThanOrEqual(8);
      await append(["two"], ["webhooks.other"]);
      const rest = await outbox.first.take(8, LEASE_MS, ["webhooks.slow"]);
      expect(rest.map(({ event }) => event.id)).toEqual(["two"]);
    });

    test("four takers share 600 deliveries without losing one or handing one out twice", async () => {
      await outbox.clear();
      const ids = Array.from({ length: 300 }, (_, i) => `race-${i}`);
      await append(ids, ["webhooks.a", "nats"]);
      const seen: string[] = [];
      const take = async (own: EventOutbox) => {
        for (let empty = 0; empty < 5; ) {
          const taken = await own.take(7, LEASE_MS);
          empty = taken.length === 0 ? empty + 1 : 0;
          for (const delivery of taken) {
            seen.push(`${delivery.event.id} ${delivery.destination} ${delivery.attempt}`);
            await own.delivered(delivery);
          }
        }
      };
      const { first, second } = outbox;
      await Promise.all([take(first), take(first), take(second), take(second)]);
      const wanted = ids.flatMap((id) => [`${id} webhooks.a 1`, `${id} nats 1`]);
      expect(seen.toSorted()).toEqual(wanted.toSorted());
      expect(await first.count()).toEqual({ waiting: 0, failed: 0 });
    });
  });
}
