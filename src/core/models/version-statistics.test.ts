import { expect, test } from "vitest";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import { VersionStatistics } from "./version-statistics.ts";

const batch = (items: number, runMs: number) => ({
  items,
  tokens: items,
  paddedTokens: items,
  isCopy: false,
  queueMs: 2,
  runMs,
  failed: false,
});

test("what no caller asked for is passed on, and added to nothing", () => {
  const next = new RecordingObserver();
  const statistics = new VersionStatistics({ epochMs: () => 1234 }, next);
  statistics.batchFinished({ ...batch(4, 5), isCopy: true });
  expect(statistics.snapshot()).toMatchObject({ itemsRun: 0, runs: { count: 0 }, runsBySize: [] });
  statistics.batchFinished(batch(3, 5));
  expect(statistics.snapshot()).toMatchObject({
    itemsRun: 3,
    runsBySize: [{ items: 3, count: 1, ms: 5 }],
  });
  expect(next.batches).toHaveLength(2);
});

test("everything heard is added up, by kind and by size of the run, and passed on", () => {
  const next = new RecordingObserver();
  const statistics = new VersionStatistics({ epochMs: () => 1234 }, next);
  expect(statistics.snapshot()).toMatchObject({ lastInferenceMs: 0, itemsRun: 0, runsBySize: [] });
  statistics.batchFinished(batch(8, 5));
  statistics.batchFinished(batch(1, 1));
  statistics.batchFinished(batch(8, 7));
  statistics.predictionMade("good", "model", 10);
  statistics.predictionMade("good", "cache", 1);
  statistics.itemFailed("model_failed");
  expect(statistics.snapshot()).toEqual({
    lastInferenceMs: 1234,
    succeeded: { count: 2, ms: 11 },
    failed: { count: 1, ms: 0 },
    cacheHits: { count: 1, ms: 1 },
    queue: { count: 3, ms: 6 },
    runs: { count: 3, ms: 13 },
    itemsRun: 17,
    runsBySize: [
      { items: 1, count: 1, ms: 1 },
      { items: 8, count: 2, ms: 12 },
    ],
  });
  expect(next.batches).toHaveLength(3);
  expect(next.predictions).toHaveLength(2);
  expect(next.failures).toEqual(["model_failed"]);
});
