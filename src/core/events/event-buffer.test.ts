import { expect, test } from "vitest";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { toSampleEvent } from "../../../test/support/sample-event.ts";
import { EventBuffer } from "./event-buffer.ts";

function start(capacity = 10) {
  const clock = new FakeClock();
  const batches: string[][] = [];
  const state = { isBroken: false };
  const buffer = new EventBuffer({
    ...{ capacity, batchEvents: 3, intervalMs: 100, clock },
    flush: async (events) => {
      if (state.isBroken) throw new Error("broken");
      batches.push(events.map(({ id }) => id));
    },
  });
  const offer = (...ids: string[]) => ids.map((id) => buffer.offer(toSampleEvent(id)));
  return { clock, batches, state, buffer, offer };
}

test("events go in batches: a full one at once, the rest after the interval", async () => {
  const { clock, batches, offer } = start();
  offer("a", "b", "c", "d");
  await clock.advance(0);
  expect(batches[0]).toEqual(["a", "b", "c"]);
  await clock.advance(100);
  expect(batches.flat()).toEqual(["a", "b", "c", "d"]);
  offer("e");
  await clock.advance(99);
  expect(batches.flat()).not.toContain("e");
  await clock.advance(1);
  expect(batches.flat()).toContain("e");
});

test("what does not fit is dropped and counted; what waits stays, and goes when the destination is back", async () => {
  const { clock, batches, state, buffer, offer } = start(4);
  state.isBroken = true;
  expect(offer("a", "b", "c", "d", "e", "f")).toEqual([true, true, true, true, false, false]);
  await clock.advance(1000);
  expect(buffer.dropped).toBe(2);
  expect(buffer.size).toBe(4);
  state.isBroken = false;
  await clock.advance(100);
  expect(batches.flat()).toEqual(["a", "b", "c", "d"]);
  expect(buffer.size).toBe(0);
});

test("close hands on what waits and takes nothing more", async () => {
  const { batches, buffer, offer } = start();
  offer("a", "b", "c", "d");
  await buffer.close();
  expect(batches.flat()).toEqual(["a", "b", "c", "d"]);
  expect(offer("e")).toEqual([false]);
  await buffer.close();
  expect(buffer.dropped).toBe(1);
});

test("close does not wait for a destination that refuses: the rest is counted as dropped", async () => {
  const { buffer, state, offer } = start();
  state.isBroken = true;
  offer("a", "b");
  await buffer.close();
  expect(buffer.dropped).toBe(2);
  expect(buffer.size).toBe(0);
});
