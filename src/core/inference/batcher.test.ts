import { describe, expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import type { ScriptedBackendOptions } from "../../../test/support/scripted-backend.ts";
import { encodedAs, POISON, ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import { Batcher } from "./batcher.ts";
import type { Lane } from "./lanes.ts";

const DEFAULTS = {
  maxBatchItems: 8,
  maxBatchTokens: 1000,
  maxBatchRunMs: 1e9,
  maxQueueDelayMs: 0,
  minBatchItems: 8,
  maxQueueItems: 100,
  maxQueueWaitMs: 10_000,
  maxBulkItems: 100,
  bulkShare: 0.1,
};

function setUp(
  limits: Partial<typeof DEFAULTS> = {},
  backendOptions: number | Omit<ScriptedBackendOptions, "clock"> = {},
) {
  const clock = new FakeClock();
  const options = typeof backendOptions === "number" ? { slots: backendOptions } : backendOptions;
  const backend = new ScriptedBackend({ clock, runMs: () => 10, ...options });
  const observer = new RecordingObserver();
  const batcher = new Batcher({ backend, clock, limits: { ...DEFAULTS, ...limits }, observer });
  const submit = async (
    owner: number,
    tokens = 1,
    deadlineMs = 1e9,
    cancellation = NEVER_CANCELLED,
    flow = "caller",
    lane: Lane = "online",
  ) => {
    const shared = { flow: { id: flow, weight: 1 }, lane };
    batcher.assertAdmits({ items: 1, tokens, deadlineMs, ...shared });
    const ticket = { deadlineMs, cancellation };
    return await batcher.submit({ encoded: encodedAs(owner, tokens), ticket, ...shared });
  };
  const submitAs = (flow: string, owner: number, tokens = 1, lane: Lane = "online") =>
    submit(owner, tokens, 1e9, NEVER_CANCELLED, flow, lane);
  return { clock, backend, observer, batcher, submit, submitAs };
}

test("batches follow a better measurement of what runs cost", async () => {
  const { clock, backend, submit } = setUp({}, { pads: true, cost: { fixedMs: 0, perTokenMs: 1 } });
  const submitTwo = () => [submit(1, 10), submit(2, 14)];
  const apart = submitTwo();
  await clock.advance(20);
  await Promise.all(apart);
  expect(backend.runs.map(({ owners }) => owners)).toEqual([[1], [2]]);
  // Now a run costs as much as 100 ids, and four of padding are nothing.
  backend.cost = { fixedMs: 100, perTokenMs: 1 };
  const together = submitTwo();
  await clock.advance(20);
  await Promise.all(together);
  expect(backend.runs.map(({ owners }) => owners)).toEqual([[1], [2], [1, 2]]);
});

describe("natural batching", () => {
  test("a lone text runs at the end of its event-loop turn, without any timer", async () => {
    const { clock, backend, submit } = setUp();
    const outcome = submit(7);
    expect(backend.runs).toHaveLength(0);
    await clock.settle();
    expect(backend.runs).toMatchObject([{ startedMs: 0, owners: [7], tokenCounts: [1] }]);
    await clock.advance(10);
    await expect(outcome).resolves.toMatchObject({ queueMs: 0, runMs: 10 });
  });

  test("texts of one event-loop turn meet in one batch", async () => {
    const { clock, backend, submit } = setUp();
    const outcomes = [submit(1), submit(2), submit(3)];
    await clock.advance(10);
    expect(backend.runs.map((run) => run.owners)).toEqual([[1, 2, 3]]);
    await Promise.all(outcomes);
  });

  test("texts gather while the slot is busy and go together when it is free", async () => {
    const { clock, backend, submit } = setUp();
    const outcomes = [submit(1)];
    await clock.advance(3);
    outcomes.push(submit(2));
    await clock.advance(3);
    outcomes.push(submit(3));
    await clock.advance(100);
    expect(backend.runs.map((run) => [run.startedMs, run.owners])).toEqual([
      [0, [1]],
      [10, [2, 3]],
    ]);
    expect((await Promise.all(outcomes)).map((outcome) => outcome.queueMs)).toEqual([0, 7, 4]);
  });

  test("with two slots the next batch is sent ahead while the first runs", async () => {
    const { clock, backend, submit } = setUp({ maxBatchItems: 1 }, 2);
    const outcomes = [submit(1), submit(2), submit(3)];
    await clock.settle();
    expect(backend.runs.map((run) => run.owners)).toEqual([[1], [2]]);
    await clock.advance(100);
    await Promise.all(outcomes);
  });
});

describe("a queue delay", () => {
  test("a lone text waits for company at most that long", async () => {
    const { clock, backend, submit } = setUp({ maxQueueDelayMs: 100 });
    const outcome = submit(1);
    await clock.advance(99);
    expect(backend.runs).toHaveLength(0);
    await clock.advance(1);
    expect(backend.runs).toHaveLength(1);
    await clock.advance(10);
    await outcome;
  });

  test("enough company or a full batch ends the wait", async () => {
    const { clock, backend, submit } = setUp({ maxQueueDelayMs: 100, minBatchItems: 3 });
    const outcomes = [submit(1), submit(2)];
    await clock.advance(50);
    expect(backend.runs).toHaveLength(0);
    outcomes.push(submit(3));
    await clock.settle();
    expect(backend.runs.map((run) => run.owners)).toEqual([[1, 2, 3]]);
    await clock.advance(10);
    await Promise.all(outcomes);
  });
});

describe("failure", () => {
  test("a failed batch is run again member by member and only the guilty one fails", async () => {
    const { clock, backend, submit } = setUp();
    const outcomes = Promise.allSettled([submit(1), submit(POISON), submit(3)]);
    await clock.advance(100);
    expect(backend.runs.map((run) => run.owners)).toEqual([[1, POISON, 3], [1], [POISON], [3]]);
    const [first, second, third] = await outcomes;
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ status: "rejected", reason: { code: "model_failed" } });
    expect(third.status).toBe("fulfilled");
  });

  test("a full queue refuses with overloaded and says when to come back", async () => {
    const { clock, submit } = setUp({ maxQueueItems: 2, maxBatchItems: 1 });
    const accepted = [submit(0)];
    await clock.advance(10);
    accepted.push(submit(1));
    await clock.settle();
    accepted.push(submit(2), submit(3));
    await expect(submit(4)).rejects.toMatchObject({ code: "overloaded", retryAfterMs: 30 });
    await clock.advance(100);
    await Promise.all(accepted);
  });

  test("work that would wait longer than the bound is refused although the queue has room", async () => {
    const { clock, submit } = setUp({ maxQueueWaitMs: 25, maxBatchItems: 1 });
    const accepted = [submit(0)];
    await clock.advance(10);
    accepted.push(submit(1));
    await clock.settle();
    accepted.push(submit(2), submit(3));
    await expect(submit(4)).rejects.toMatchObject({ code: "overloaded" });
    await clock.advance(100);
    await Promise.all(accepted);
  });
});

describe("callers that give up", () => {
  test("a caller that goes away while waiting frees its place and never runs", async () => {
    const { clock, backend, batcher, submit } = setUp();
    const source = new CancelSource();
    const first = submit(1);
    await clock.settle();
    const second = submit(2, 1, 1e9, source);
    const refused = expect(second).rejects.toMatchObject({ code: "cancelled" });
    source.cancel();
    await refused;
    expect(batcher.queuedItems).toBe(0);
    await clock.advance(100);
    await first;
    expect(backend.runs.map((run) => run.owners)).toEqual([[1]]);
  });

  test("a text whose deadline passed in the queue is answered without running", async () => {
    const { clock, backend, submit } = setUp();
    const first = submit(1);
    await clock.settle();
    const late = expect(submit(2, 1, 5)).rejects.toMatchObject({ code: "deadline_exceeded" });
    await clock.advance(100);
    await Promise.all([first, late]);
    expect(backend.runs.map((run) => run.owners)).toEqual([[1]]);
  });

  test("draining answers everything that was accepted and refuses the rest", async () => {
    const { clock, batcher, submit } = setUp({ maxBatchItems: 1 });
    const accepted = [submit(1), submit(2)];
    const drained = batcher.drain();
    await expect(submit(3)).rejects.toMatchObject({ code: "unavailable" });
    await clock.advance(100);
    await drained;
    await Promise.all(accepted);
  });
});

describe("lengths", () => {
  const padding = { pads: true, cost: { fixedMs: 2, perTokenMs: 0.1 } };

  test("the oldest goes with those nearest to it in length; the others wait for their own kind", async () => {
    const { clock, backend, submit } = setUp({}, padding);
    const outcomes = [submit(1, 5)];
    await clock.settle();
    outcomes.push(submit(2, 30), submit(3, 5), submit(4, 31), submit(5, 6));
    await clock.advance(100);
    await Promise.all(outcomes);
    expect(backend.runs.map((run) => run.owners)).toEqual([[1], [2, 4], [3, 5]]);
  });
});

describe("callers side by side", () => {
  test("one who asks for little is answered in the next batches, whatever another has piled up", async () => {
    const { clock, backend, submitAs } = setUp({ maxBatchItems: 2 });
    const flood = Array.from({ length: 40 }, (_, i) => submitAs("flood", 100 + i, 10));
    await clock.advance(20);
    const light = submitAs("light", 1, 10);
    await clock.advance(1000);
    await Promise.all([...flood, light]);
    const served = backend.runs.findIndex((run) => run.owners.includes(1));
    // Two batches were sent before it came, one was running; batches of its own turn may take two floods along.
    expect(served).toBeLessThanOrEqual(6);
  });

  test("one who floods is refused while another is let in", async () => {
    const { clock, submitAs } = setUp({ maxQueueWaitMs: 50, maxBatchItems: 1 });
    const accepted = [submitAs("flood", 0, 10)];
    await clock.advance(10);
    const attempts = Array.from({ length: 20 }, (_, i) => submitAs("flood", 1 + i, 10));
    const settled = Promise.allSettled(attempts);
    accepted.push(submitAs("light", 99, 10));
    await clock.advance(1000);
    await Promise.all(accepted);
    const refused = (await settled).filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(10);
    expect(refused.length).toBeLessThan(20);
  });
});

describe("bulk work", () => {
  test("holds no more slots than there are workers, so that the next run is an online one", async () => {
    const { clock, backend, submitAs } = setUp({ maxBatchItems: 1 }, { slots: 4, parallelRuns: 2 });
    const bulk = Array.from({ length: 10 }, (_, i) => submitAs("job", 100 + i, 1, "bulk"));
    await clock.settle();
    expect(backend.runs).toHaveLength(2);
    const online = submitAs("caller", 1);
    await clock.settle();
    expect(backend.runs.at(-1)?.owners).toEqual([1]);
    await clock.advance(1000);
    await Promise.all([...bulk, online]);
  });

  test("gets its share, and no more, while online work never ends", async () => {
    const { clock, backend, submitAs } = setUp({ maxBatchItems: 1, maxQueueItems: 1000 });
    const bulk = Array.from({ length: 100 }, (_, i) => submitAs("job", 1000 + i, 10, "bulk"));
    const online = Array.from({ length: 200 }, (_, i) => submitAs("caller", 1 + i, 10));
    await clock.advance(1000);
    const done = backend.runs.slice(0, 100).flatMap((run) => run.owners);
    const bulkDone = done.filter((owner) => owner >= 1000).length;
    expect(bulkDone).toBeGreaterThanOrEqual(8);
    expect(bulkDone).toBeLessThanOrEqual(12);
    await clock.advance(10_000);
    await Promise.all([...bulk, ...online]);
  });

  test("more than its limit is refused", async () => {
    const { clock, submitAs } = setUp({ maxBulkItems: 3, maxBatchItems: 1 });
    const running = submitAs("job", 1, 1, "bulk");
    await clock.settle();
    const waiting = [2, 3, 4].map((owner) => submitAs("job", owner, 1, "bulk"));
    await expect(submitAs("job", 5, 1, "bulk")).rejects.toMatchObject({ code: "overloaded" });
    await clock.advance(1000);
    await Promise.all([running, ...waiting]);
  });
});

test.each([
  [true, 10],
  [false, 7],
])("what happened is told to the observer (model pads: %s)", async (pads, paddedTokens) => {
  const cost = { fixedMs: 10, perTokenMs: 1 };
  const { clock, observer, submit } = setUp({}, { pads, cost });
  const outcomes = [submit(1, 2), submit(2, 5)];
  await clock.advance(10);
  await Promise.all(outcomes);
  expect(observer.batches).toMatchObject([
    {
      ...{ items: 2, tokens: 7, paddedTokens, isCopy: false },
      ...{ queueMs: 0, runMs: 10, failed: false },
    },
  ]);
});

test("copies that nobody waits for never run with what callers asked for, and backend and observer are told", async () => {
  const { clock, observer, backend, batcher, submit } = setUp({}, 1);
  const shared = { flow: { id: "mirror", weight: 1 }, lane: "online", isCopy: true } as const;
  const ticket = { deadlineMs: 1e9, cancellation: NEVER_CANCELLED };
  const submitCopy = (owner: number, tokens: number) =>
    batcher.submit({ encoded: encodedAs(owner, tokens), ticket, ...shared });
  const first = submit(1, 1);
  await clock.settle();
  const copy = submitCopy(2, 3);
  await clock.advance(4);
  const text = submit(3, 5);
  const others = [submitCopy(4, 2), submit(5, 1)];
  await clock.advance(6);
  await clock.advance(20);
  await Promise.all([first, copy, text, ...others]);
  const seen = backend.runs.map(({ owners, isCopy }) => ({ owners, isCopy }));
  expect(seen).toEqual([
    { owners: [1], isCopy: false },
    { owners: [2, 4], isCopy: true },
    { owners: [3, 5], isCopy: false },
  ]);
  expect(observer.batches).toMatchObject([
    { items: 1, isCopy: false },
    { items: 2, tokens: 5, isCopy: true, queueMs: 10 },
    { items: 2, tokens: 6, isCopy: false, queueMs: 16 },
  ]);
});
