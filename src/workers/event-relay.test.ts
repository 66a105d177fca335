import { afterEach, expect, test } from "vitest";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { toSampleEvent } from "../../test/support/sample-event.ts";
import { SluiceError } from "../core/errors.ts";
import type { DeliveryOutcome } from "../core/ports/event-destination.ts";
import type { EventOutbox, LeasedDelivery } from "../core/ports/event-outbox.ts";
import type { EventRelay } from "./event-relay.ts";
import { startEventRelay } from "./event-relay.ts";

const FAILED: DeliveryOutcome = {
  kind: "failed",
  reason: "answered 500",
  isFinal: false,
  retryAfterMs: undefined,
};

/** An outbox in memory, which says what was asked of it. */
function createScriptedOutbox(clock: FakeClock) {
  const waiting: { id: string; destination: string; attempts: number; dueMs: number }[] = [];
  const log: string[] = [];
  const state = { isDown: false };
  const outbox: Pick<EventOutbox, "take" | "delivered" | "retry" | "fail"> = {
    take: async (max, leaseMs, except = []) => {
      if (state.isDown) throw new SluiceError("unavailable", "The database is away.");
      const due = waiting
        .filter(({ dueMs, destination }) => dueMs <= clock.nowMs() && !except.includes(destination))
        .slice(0, max);
      return due.map((row): LeasedDelivery => {
        row.attempts++;
        row.dueMs = clock.nowMs() + leaseMs;
        const { id, destination, attempts: attempt } = row;
        return { event: toSampleEvent(id), destination, attempt };
      });
    },
    delivered: async ({ event }) => {
      log.push(`delivered ${event.id}`);
      waiting.splice(
        waiting.findIndex(({ id }) => id === event.id),
        1,
      );
    },
    retry: async ({ event }, delayMs) => {
      log.push(`retry ${event.id} in ${delayMs}`);
      for (const row of waiting) if (row.id === event.id) row.dueMs = clock.nowMs() + delayMs;
    },
    fail: async ({ event }, reason) => {
      log.push(`fail ${event.id}: ${reason}`);
      waiting.splice(
        waiting.findIndex(({ id }) => id === event.id),
        1,
      );
    },
  };
  const add = (destination: string, ...ids: string[]) => {
    for (const id of ids) waiting.push({ id, destination, attempts: 0, dueMs: 0 });
  };
  return { outbox, log, add, state };
}

let relay: EventRelay | undefined;
afterEach(() => relay?.close());

function start(send: (id: string, name: string) => Promise<DeliveryOutcome>) {
  const clock = new FakeClock();
  const scripted = createScriptedOutbox(clock);
  const warnings: string[] = [];
  relay = startEventRelay({
    outbox: scripted.outbox,
    findDestination: (name) => {
      if (name === "gone") return undefined;
      if (name === "refused") throw new SluiceError("invalid_argument", "url must be public.");
      const close = async () => {};
      return { description: name, send: (event) => send(event.id, name), close };
    },
    clock,
    logger: {
      debug: () => {},
      info: () => {},
      warn: (message) => warnings.push(message),
      error: () => {},
    },
    random: () => 0.5,
    policy: { maxAttempts: 3, baseDelayMs: 1000, maxDelayMs: 60_000, maxRetryAfterMs: 60_000 },
    ...{ maxInFlight: 6, maxInFlightPerDestination: 2, leaseMs: 30_000, pollMs: 500 },
  });
  return { ...scripted, clock, warnings, relay };
}

test("what is in the outbox is sent and settled, at once when it is woken, otherwise at the next look", async () => {
  const sent: string[] = [];
  const { add, log, clock, relay } = start(async (id) => {
    sent.push(id);
    return { kind: "delivered" };
  });
  await clock.settle();
  add("a", "e1");
  relay.wake();
  await clock.settle();
  expect(sent).toEqual(["e1"]);
  add("a", "e2", "e3", "e4", "e5", "e6");
  await clock.advance(499);
  expect(sent).toHaveLength(1);
  await clock.advance(1);
  expect(sent).toEqual(["e1", "e2", "e3", "e4", "e5", "e6"]);
  expect(log).toEqual(sent.map((id) => `delivered ${id}`));
});

test("what fails is sent again, later each time, and given up after the last attempt", async () => {
  const { add, log, clock } = start(async () => FAILED);
  add("a", "e1");
  await clock.advance(20_000);
  expect(log).toEqual([
    "retry e1 in 500",
    "retry e1 in 1000",
    "fail e1: answered 500 (attempt 3 of 3)",
  ]);
});

test("a destination that never answers in time holds up no other", async () => {
  const sent: string[] = [];
  const { add, log, clock } = start((id, name) => {
    sent.push(id);
    return name === "slow" ? new Promise(() => {}) : Promise.resolve({ kind: "delivered" });
  });
  add("slow", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8");
  add("fast", "f1", "f2", "f3", "f4", "f5");
  await clock.advance(600);
  expect(log).toEqual(["f1", "f2", "f3", "f4", "f5"].map((id) => `delivered ${id}`));
  expect(sent.filter((id) => id.startsWith("s")).length).toBeLessThan(4);
  relay = undefined;
});

test("a slot that becomes free is used at once", async () => {
  const ends: (() => void)[] = [];
  const { add, clock } = start(
    () => new Promise((resolve) => ends.push(() => resolve({ kind: "delivered" }))),
  );
  add("a", "e1", "e2", "e3");
  await clock.advance(500);
  expect(ends).toHaveLength(2);
  ends[0]?.();
  await clock.settle();
  expect(ends).toHaveLength(3);
  for (const end of ends) end();
});

test("destinations that are gone or refused are given up at once, one that throws is not", async () => {
  const { add, log, clock } = start(() => Promise.reject(new Error("bug")));
  add("gone", "e1");
  add("refused", "e2");
  add("a", "e3");
  await clock.advance(600);
  expect(log).toContain("fail e1: there is no such destination any more");
  expect(log).toContain("fail e2: url must be public.");
  expect(log).toContain("retry e3 in 500");
});

test("while the outbox cannot be reached it goes on trying, and says so once", async () => {
  const { add, log, clock, state, warnings } = start(async () => ({ kind: "delivered" }));
  state.isDown = true;
  await clock.advance(5000);
  expect(warnings).toEqual(["The outbox of events cannot be reached."]);
  state.isDown = false;
  add("a", "e1");
  await clock.advance(500);
  expect(log).toEqual(["delivered e1"]);
});

test("close takes nothing more and waits for what is under way", async () => {
  let end = () => {};
  const { add, log, clock, relay } = start(
    () =>
      new Promise((resolve) => {
        end = () => resolve({ kind: "delivered" });
      }),
  );
  add("a", "e1");
  await clock.advance(500);
  let isClosed = false;
  const closing = relay.close().then(() => {
    isClosed = true;
  });
  add("a", "e2");
  await clock.advance(5000);
  expect(isClosed).toBe(false);
  end();
  await closing;
  expect(log).toEqual(["delivered e1"]);
  await relay.close();
});
