import { describe, expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import { encodedAs, POISON, ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import { Batcher } from "./batcher.ts";

const DEFAULTS = {
  maxBatchItems: 8,
  maxBatchTokens: 1000,
  maxBatchRunMs: 1e9,
  maxQueueDelayMs: 0,
  minBatchItems: 8,
  maxQueueItems: 100,
  maxQueueWaitMs: 10_000,
};

function setUp(limits: Partial<typeof DEFAULTS> = {}, slots = 1) {
  const clock = new FakeClock();
  const backend = new ScriptedBackend({ clock, slots, runMs: () => 10 });
  const observer = new RecordingObserver();
  const batcher = new Batcher({
    backend,
    clock,
    limits: { ...DEFAULTS, ...limits },
    observer,
  });
  const submit = (owner: number, tokens = 1, deadlineMs = 1e9, cancellation = NEVER_CANCELLED) =>
    batcher.submit({ encoded: encodedAs(owner, tokens), ticket: { deadlineMs, cancellation } });
  return { clock, backend, observer, batcher, submit };
}

describe("natural batching", () => {
  test("a lone text runs at the end of its event-loop turn, without any timer", async () => {
    const { clock, backend, submit } = setUp();
    const outcome = submit(7);
    expect(backend.runs).toHaveLength(0);
    await clock.settle();
    expect(backend.runs).toEqual([{ startedMs: 0, owners: [7], tokenCounts: [1] }]);
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

test("what happened is told to the observer with padding counted", async () => {
  const { clock, observer, submit } = setUp();
  const outcomes = [submit(1, 2), submit(2, 5)];
  await clock.advance(10);
  await Promise.all(outcomes);
  expect(observer.batches).toMatchObject([
    { items: 2, tokens: 7, paddedTokens: 10, queueMs: 0, runMs: 10, failed: false },
  ]);
});
