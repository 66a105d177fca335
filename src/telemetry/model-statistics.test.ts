import { expect, test } from "vitest";
import { combineObservers, ModelStatisticsRecorder } from "./model-statistics.ts";

const BATCH = { items: 2, tokens: 9, paddedTokens: 10, queueMs: 1, runMs: 3, failed: false };

test("what a version did is summed up, by size of the run too", () => {
  const recorder = new ModelStatisticsRecorder({ epochMs: () => 7 });
  const observer = combineObservers([recorder]).forVersion("m", "1.0.0");
  observer.batchFinished(BATCH);
  observer.batchFinished({ ...BATCH, items: 1 });
  observer.batchFinished(BATCH);
  observer.predictionMade("a", "model", 5);
  observer.predictionMade("a", "cache", 0.5);
  observer.itemFailed("overloaded");
  expect(recorder.read("m", "1.0.0")).toEqual({
    name: "m",
    version: "1.0.0",
    lastInferenceMs: 7,
    inferenceCount: 2,
    executionCount: 3,
    success: { count: 2, ns: 5.5e6 },
    fail: { count: 1, ns: 0 },
    queue: { count: 3, ns: 3e6 },
    computeInput: { count: 0, ns: 0 },
    computeInfer: { count: 3, ns: 9e6 },
    computeOutput: { count: 0, ns: 0 },
    cacheHit: { count: 1, ns: 0.5e6 },
    cacheMiss: { count: 1, ns: 5e6 },
    batches: [
      { size: 1, infer: { count: 1, ns: 3e6 } },
      { size: 2, infer: { count: 2, ns: 6e6 } },
    ],
  });
});

test("a version that is loaded again begins at nothing, and one that never was has no statistics", () => {
  const recorder = new ModelStatisticsRecorder({ epochMs: () => 7 });
  recorder.forVersion("m", "1.0.0").itemFailed("internal");
  recorder.forVersion("m", "1.0.0");
  expect(recorder.read("m", "1.0.0")).toMatchObject({ lastInferenceMs: 0, fail: { count: 0 } });
  expect(recorder.read("m", "2.0.0")).toBeUndefined();
});

test("every observer hears everything", () => {
  const heard: string[] = [];
  const create = (name: string) => ({
    forVersion: () => ({
      batchFinished: () => void heard.push(`${name} batch`),
      predictionMade: () => void heard.push(`${name} prediction`),
      itemFailed: () => void heard.push(`${name} failure`),
    }),
    cacheFailed: () => void heard.push(`${name} cache`),
  });
  const both = combineObservers([create("a"), create("b")]);
  const version = both.forVersion("m", "1.0.0");
  version.batchFinished(BATCH);
  version.predictionMade("x", "model", 1);
  version.itemFailed("internal");
  both.cacheFailed(new Error("down"));
  expect(heard).toEqual(
    ["batch", "prediction", "failure", "cache"].flatMap((what) => [`a ${what}`, `b ${what}`]),
  );
});
