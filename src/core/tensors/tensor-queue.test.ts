import { describe, expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import type { ScriptedTensorOptions } from "../../../test/support/scripted-tensor-backend.ts";
import { POISON, ScriptedTensorBackend } from "../../../test/support/scripted-tensor-backend.ts";
import type { Lane } from "../inference/lanes.ts";
import type { Cancellation } from "../ports/cancellation.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import { TensorQueue } from "./tensor-queue.ts";

interface Asked {
  readonly deadlineMs?: number;
  readonly cancellation?: Cancellation;
  readonly caller?: string;
  readonly lane?: Lane;
  readonly isCopy?: boolean;
}

function start(maxJoinedRows = 1, script: Omit<ScriptedTensorOptions, "clock"> = {}, limits = {}) {
  const clock = new FakeClock();
  const backend = new ScriptedTensorBackend({ clock, ...script });
  const observer = new RecordingObserver();
  const queue = new TensorQueue({
    backend,
    clock,
    maxJoinedRows,
    observer,
    limits: {
      maxQueueItems: 100,
      maxQueueWaitMs: 1e6,
      maxBulkItems: 100,
      bulkShare: 0.05,
      ...limits,
    },
  });
  /** What becomes of a request for the double of `values`: numbers, or an error's code. */
  const ask = async (values: readonly number[], asked: Asked = {}) => {
    const {
      deadlineMs = 1e9,
      cancellation = NEVER_CANCELLED,
      caller = "a",
      lane = "online",
      isCopy = false,
    } = asked;
    const data = Float32Array.from(values);
    try {
      const { outputs } = await queue.submit({
        inputs: [{ name: "x", datatype: "FP32", shape: [values.length], data }],
        outputs: ["y"],
        ticket: { deadlineMs, cancellation },
        flow: { id: caller, weight: 1 },
        lane,
        isCopy,
      });
      return Array.from(outputs[0]?.data ?? [], Number);
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  return { clock, backend, observer, queue, ask };
}

describe("a queue that joins nothing", () => {
  test("runs every request by itself, no more at once than there are slots, and answers each", async () => {
    const { clock, backend, ask } = start(1, { slots: 2 });
    const answers = [1, 2, 3, 4, 5].map((value) => ask([value, value]));
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual([1, 2, 3, 4, 5].map((v) => [2 * v, 2 * v]));
    expect(backend.runs).toHaveLength(5);
    expect(backend.mostInFlight).toBe(2);
  });

  test("tells its observer of each run, with the wait before it", async () => {
    const { clock, observer, ask } = start();
    const answers = [ask([1]), ask([POISON])];
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual([[2], "model_failed"]);
    expect(observer.batches).toMatchObject([
      { items: 1, queueMs: 0, runMs: 10, failed: false },
      { items: 1, queueMs: 10, runMs: 10, failed: true },
    ]);
  });
});

describe("a queue that joins rows", () => {
  test("runs what arrives together, or while a run goes on, as one, up to so many rows", async () => {
    const { clock, backend, ask } = start(4);
    const answers = [ask([1]), ask([2, 3])];
    await clock.advance(5);
    answers.push(ask([4, 5, 6]), ask([7, 8]), ask([9]));
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual([[2], [4, 6], [8, 10, 12], [14, 16], [18]]);
    expect(backend.runs).toEqual([
      [1, 2, 3],
      [4, 5, 6, 9],
      [7, 8],
    ]);
  });

  test("never joins what callers ask and what a release asks by itself, and tells which it is", async () => {
    const { clock, backend, observer, ask } = start(4);
    const answers = [ask([1]), ask([2], { isCopy: true }), ask([3]), ask([4], { isCopy: true })];
    await clock.advance(100);
    await Promise.all(answers);
    expect(backend.runs).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(backend.copies).toEqual([false, true]);
    expect(observer.batches.map(({ isCopy }) => isCopy)).toEqual([false, true]);
  });

  test("a request of more rows than that runs alone", async () => {
    const { clock, backend, ask } = start(2);
    const answers = [ask([1, 2, 3]), ask([4])];
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual([[2, 4, 6], [8]]);
    expect(backend.runs).toEqual([[1, 2, 3], [4]]);
  });

  test("when a joined run fails, only those fail that fail alone", async () => {
    const { clock, backend, ask } = start(8);
    const answers = [ask([1]), ask([POISON]), ask([3])];
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual([[2], "model_failed", [6]]);
    expect(backend.runs).toEqual([[1, POISON, 3], [1], [POISON], [3]]);
  });
});

describe("who waits", () => {
  test("is refused beyond the limit, with a time to come back after, while the others are answered", async () => {
    const { clock, ask, queue } = start(1, { measuredRunMs: 10 }, { maxQueueItems: 2 });
    const running = ask([0]);
    await clock.settle();
    const answers = [ask([1]), ask([2]), ask([3])];
    await clock.settle();
    expect(queue.queuedItems).toBe(2);
    await expect(
      queue.submit({
        inputs: [{ name: "x", datatype: "FP32", shape: [1], data: new Float32Array(1) }],
        outputs: ["y"],
        ticket: { deadlineMs: 1e9, cancellation: NEVER_CANCELLED },
        flow: { id: "a", weight: 1 },
        lane: "online",
      }),
    ).rejects.toMatchObject({ code: "overloaded", retryAfterMs: expect.any(Number) });
    await clock.advance(100);
    expect(await Promise.all([running, ...answers])).toEqual([[0], [2], [4], "overloaded"]);
  });

  test("is not refused only because short runs got slower than they were a second ago", async () => {
    let run = 0;
    const runMs = () => (++run < 5000 ? 0.5 : 1.5);
    const { clock, ask } = start(1, { slots: 2, runMs }, { maxQueueWaitMs: 150 });
    const answers: unknown[] = [];
    const clients = Array.from({ length: 24 }, async () => {
      for (let i = 0; i < 250; i++) answers.push(await ask([1]));
    });
    await clock.advance(3000);
    await Promise.all(clients);
    expect(answers).toHaveLength(24 * 250);
    expect(answers.filter((answer) => answer === "overloaded")).toEqual([]);
  });

  test("takes turns with other callers", async () => {
    const { clock, backend, ask } = start();
    const first = ask([0]);
    await clock.settle();
    const many = [1, 2, 3].map((value) => ask([value], { caller: "many" }));
    const few = ask([9], { caller: "few" });
    await clock.advance(200);
    await Promise.all([first, few, ...many]);
    expect(backend.runs.map(([value]) => value)).toEqual([0, 1, 9, 2, 3]);
  });

  test("on the bulk lane lets others go first", async () => {
    const { clock, backend, ask } = start();
    const first = ask([0]);
    await clock.settle();
    const bulk = ask([1], { lane: "bulk" });
    const online = ask([2]);
    await clock.advance(100);
    await Promise.all([first, bulk, online]);
    expect(backend.runs.map(([value]) => value)).toEqual([0, 2, 1]);
  });

  test("past a deadline is told so at once and never reaches the backend", async () => {
    const { clock, backend, ask } = start();
    const answers = [ask([1], { deadlineMs: 5 }), ask([2], { deadlineMs: 8 }), ask([3])];
    await clock.advance(6);
    expect(await answers[0]).toBe("deadline_exceeded");
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual(["deadline_exceeded", "deadline_exceeded", [6]]);
    expect(backend.runs).toEqual([[1], [3]]);
  });

  test("and goes away never reaches the backend, and is not listened to any more", async () => {
    const { clock, backend, ask, queue } = start();
    const [gone, stays, late] = [new CancelSource(), new CancelSource(), new CancelSource()];
    const answers = [ask([1], { cancellation: stays }), ask([2], { cancellation: gone })];
    await clock.settle();
    gone.cancel();
    late.cancel();
    answers.push(ask([3], { cancellation: late }));
    expect(queue.queuedItems).toBe(0);
    await clock.advance(100);
    expect(await Promise.all(answers)).toEqual([[2], "cancelled", "cancelled"]);
    expect(backend.runs).toEqual([[1]]);
    for (const source of [gone, stays, late]) expect(source.listenerCount).toBe(0);
  });
});

test("a drain answers what was accepted and refuses the rest", async () => {
  const { clock, ask, queue } = start();
  const answers = [ask([1]), ask([2])];
  let drained = false;
  const draining = queue.drain().then(() => {
    drained = true;
  });
  expect(await ask([3])).toBe("unavailable");
  await clock.advance(15);
  expect(drained).toBe(false);
  await clock.advance(100);
  await draining;
  expect(await Promise.all(answers)).toEqual([[2], [4]]);
});
