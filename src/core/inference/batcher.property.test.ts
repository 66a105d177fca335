import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import { encodedAs, POISON, ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { SluiceError } from "../errors.ts";
import { Batcher } from "./batcher.ts";

/** One step of a random day in a batcher's life. */
type Step =
  | { kind: "submit"; tokens: number; deadlineInMs: number; poisoned: boolean }
  | { kind: "cancel"; index: number }
  | { kind: "advance"; ms: number }
  | { kind: "turn" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("submit" as const),
      tokens: fc.integer({ min: 1, max: 40 }),
      deadlineInMs: fc.oneof(fc.constant(10_000), fc.integer({ min: 0, max: 60 })),
      poisoned: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("cancel" as const),
      // Counted from the latest, because those that wait are the interesting ones.
      index: fc.integer({ min: 0, max: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("advance" as const),
      ms: fc.integer({ min: 1, max: 50 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: "turn" as const }) },
);

const limits = fc.record({
  maxBatchItems: fc.integer({ min: 1, max: 8 }),
  maxBatchTokens: fc.integer({ min: 10, max: 100 }),
  maxBatchRunMs: fc.constantFrom(1, 30, 100_000),
  maxQueueDelayMs: fc.constantFrom(0, 0, 30),
  minBatchItems: fc.integer({ min: 1, max: 8 }),
  maxQueueItems: fc.constantFrom(5, 1000),
  maxQueueWaitMs: fc.constantFrom(50, 100_000),
});

type Settings = typeof limits extends fc.Arbitrary<infer T> ? T : never;

interface Tracked {
  readonly owner: number;
  readonly tokens: number;
  readonly poisoned: boolean;
  readonly deadlineMs: number;
  readonly cancellation: CancelSource;
  cancelledAtMs: number | undefined;
  answers: number;
  outcome: Float32Array | SluiceError | undefined;
}

async function live(steps: readonly Step[], settings: Settings) {
  const clock = new FakeClock();
  const durations = [3, 17, 8, 1];
  let runs = 0;
  const backend = new ScriptedBackend({
    clock,
    slots: 2,
    runMs: () => durations[runs++ % durations.length] ?? 1,
  });
  const observer = new RecordingObserver();
  const batcher = new Batcher({
    backend,
    clock,
    limits: settings,
    observer,
  });
  const tracked: Tracked[] = [];
  for (const next of steps) {
    if (next.kind === "advance") await clock.advance(next.ms);
    else if (next.kind === "turn") await clock.settle();
    else if (next.kind === "cancel") {
      const victim = tracked.at(-1 - next.index);
      if (victim === undefined || victim.cancelledAtMs !== undefined) continue;
      victim.cancelledAtMs = clock.nowMs();
      victim.cancellation.cancel();
    } else {
      const item: Tracked = {
        owner: next.poisoned ? POISON : tracked.length + 1,
        tokens: next.tokens,
        poisoned: next.poisoned,
        deadlineMs: clock.nowMs() + next.deadlineInMs,
        cancellation: new CancelSource(),
        cancelledAtMs: undefined,
        answers: 0,
        outcome: undefined,
      };
      tracked.push(item);
      void batcher
        .submit({ encoded: encodedAs(item.owner, item.tokens), ticket: item })
        .then((outcome) => outcome.logits)
        .catch((error: SluiceError) => error)
        .then((outcome) => {
          item.answers++;
          item.outcome = outcome;
        });
    }
  }
  const drained = batcher.drain();
  await clock.advance(100_000);
  await drained;
  return { tracked, backend, batcher, observer };
}

test("every submission is answered exactly once, with its own row or its own reason", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const { tracked, batcher } = await live(steps, settings);
      for (const item of tracked) {
        expect(item.answers).toBe(1);
        expect(item.cancellation.listenerCount).toBe(0);
        if (item.outcome instanceof SluiceError) continue;
        expect(item.poisoned).toBe(false);
        expect(item.outcome).toEqual(Float32Array.of(item.owner, item.tokens));
      }
      expect(batcher.outstandingItems).toBe(0);
      expect(batcher.queuedItems).toBe(0);
    }),
    { numRuns: 300 },
  );
}, 60_000);

test("no batch exceeds its item or token budget and no more batches run than there are slots", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const { backend } = await live(steps, settings);
      expect(backend.mostInFlight).toBeLessThanOrEqual(2);
      for (const { tokenCounts } of backend.runs) {
        expect(tokenCounts.length).toBeLessThanOrEqual(settings.maxBatchItems);
        const padded = Math.max(...tokenCounts) * tokenCounts.length;
        if (tokenCounts.length > 1) expect(padded).toBeLessThanOrEqual(settings.maxBatchTokens);
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("a cancelled or expired text never reaches the backend afterwards", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const { tracked, backend } = await live(steps, settings);
      for (const item of tracked.filter((one) => !one.poisoned)) {
        const starts = backend.runs.filter((run) => run.owners.includes(item.owner));
        for (const { startedMs } of starts) {
          expect(startedMs).toBeLessThan(item.deadlineMs);
          expect(startedMs).toBeLessThanOrEqual(item.cancelledAtMs ?? Number.POSITIVE_INFINITY);
        }
      }
    }),
    { numRuns: 200 },
  );
}, 60_000);

test("only the members that fail alone fail when a batch fails", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const { tracked } = await live(steps, settings);
      for (const item of tracked) {
        if (!(item.outcome instanceof SluiceError)) continue;
        if (item.outcome.code === "model_failed") expect(item.poisoned).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);
