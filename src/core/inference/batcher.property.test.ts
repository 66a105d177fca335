import fc from "fast-check";
import { expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import { encodedAs, POISON, ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import { SluiceError } from "../errors.ts";
import type { BatcherOptions } from "./batcher.ts";
import { Batcher } from "./batcher.ts";
import type { Lane } from "./lanes.ts";

/** One step of a random day in a batcher's life. */
type Step =
  | {
      kind: "submit";
      tokens: number;
      deadlineInMs: number;
      poisoned: boolean;
      flow: string;
      lane: Lane;
      isCopy: boolean;
    }
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
      flow: fc.constantFrom("a", "a", "b", "c"),
      lane: fc.constantFrom<Lane>("online", "online", "bulk"),
      isCopy: fc.constantFrom(false, false, true),
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
  maxBulkItems: fc.constantFrom(5, 1000),
  bulkShare: fc.constantFrom(0, 0.1),
  pads: fc.boolean(),
  fixedMs: fc.constantFrom(0, 5, 30),
});

type Settings = BatcherOptions["limits"] & { readonly pads: boolean; readonly fixedMs: number };

interface Tracked {
  readonly owner: number;
  readonly tokens: number;
  readonly poisoned: boolean;
  readonly isCopy: boolean;
  readonly deadlineMs: number;
  readonly cancellation: CancelSource;
  readonly submittedAtMs: number;
  cancelledAtMs: number | undefined;
  answers: number;
  outcome: Float32Array | SluiceError | undefined;
}

/** How long runs take, in turn. */
const DURATIONS = [3, 17, 8, 1];
const LONGEST_RUN_MS = Math.max(...DURATIONS);

/** Asks for room and submits, as a request does. */
async function enter(batcher: Batcher, item: Tracked, step: Step & { kind: "submit" }) {
  const { tokens, deadlineMs, owner } = item;
  const shared = { flow: { id: step.flow, weight: 1 }, lane: step.lane };
  batcher.assertAdmits({ items: 1, tokens, deadlineMs, ...shared });
  const encoded = encodedAs(owner, tokens);
  return await batcher.submit({ encoded, ticket: item, isCopy: step.isCopy, ...shared });
}

async function live(steps: readonly Step[], settings: Settings) {
  const clock = new FakeClock();

  let runs = 0;
  const backend = new ScriptedBackend({
    clock,
    slots: 4,
    parallelRuns: 2,
    pads: settings.pads,
    cost: { fixedMs: settings.fixedMs, perTokenMs: 1 },
    runMs: () => DURATIONS[runs++ % DURATIONS.length] ?? 1,
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
        isCopy: next.isCopy,
        deadlineMs: clock.nowMs() + next.deadlineInMs,
        cancellation: new CancelSource(),
        submittedAtMs: clock.nowMs(),
        cancelledAtMs: undefined,
        answers: 0,
        outcome: undefined,
      };
      tracked.push(item);
      void enter(batcher, item, next)
        .then((outcome) => outcome.row)
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

test("no batch holds both what callers asked for and copies, and its backend is told which", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const { tracked, backend } = await live(steps, settings);
      const copies = new Set(
        tracked.filter(({ isCopy, poisoned }) => isCopy && !poisoned).map(({ owner }) => owner),
      );
      for (const { owners, isCopy } of backend.runs) {
        for (const owner of owners) if (owner !== POISON) expect(copies.has(owner)).toBe(isCopy);
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);

test("no batch exceeds its item or token budget and no more batches run than there are slots", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const { backend } = await live(steps, settings);
      expect(backend.mostInFlight).toBeLessThanOrEqual(4);
      for (const { tokenCounts } of backend.runs) {
        expect(tokenCounts.length).toBeLessThanOrEqual(settings.maxBatchItems);
        const tokens = tokenCounts.reduce((sum, count) => sum + count, 0);
        const padded = Math.max(...tokenCounts) * tokenCounts.length;
        const used = settings.pads ? padded : tokens;
        if (tokenCounts.length > 1) expect(used).toBeLessThanOrEqual(settings.maxBatchTokens);
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

test("with natural batching nothing waits while a slot is free, and nobody is overtaken for ever", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), limits, async (steps, settings) => {
      const natural = { ...settings, maxQueueDelayMs: 0, maxQueueItems: 1000, maxBulkItems: 1000 };
      const online = steps.map((one) =>
        one.kind === "submit"
          ? { ...one, lane: "online" as const, deadlineInMs: 1e9, poisoned: false }
          : one,
      );
      const { tracked, backend } = await live(online, { ...natural, maxQueueWaitMs: 100_000 });
      const startOf = new Map<number, number>();
      for (const [index, run] of backend.runs.entries()) {
        for (const owner of run.owners) startOf.set(owner, index);
      }
      const waited = tracked.filter((item) => item.cancelledAtMs === undefined);
      for (const item of waited) {
        const start = startOf.get(item.owner) ?? Number.POSITIVE_INFINITY;
        // Every batch begins with the text whose turn it is, so no text sees more batches pass than texts are there.
        const before = backend.runs.filter(
          (run, index) => index < start && run.startedMs >= item.submittedAtMs,
        );
        expect(before.length).toBeLessThanOrEqual(tracked.length);
      }
      for (let i = 0; i < backend.runs.length; i++) {
        const run = backend.runs[i];
        const busy = backend.runs.filter(
          (other, j) => j < i && run !== undefined && other.endedMs > run.startedMs,
        ).length;
        const oldest = Math.min(
          ...(run?.owners ?? []).map(
            (owner) => tracked.find((item) => item.owner === owner)?.submittedAtMs ?? 0,
          ),
        );
        // It either started in the turn it came, or all slots were busy until now.
        if (busy < 3) expect((run?.startedMs ?? 0) - oldest).toBeLessThanOrEqual(LONGEST_RUN_MS);
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);
