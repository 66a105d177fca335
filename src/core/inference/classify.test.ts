import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { RecordingObserver } from "../../../test/support/recording-observer.ts";
import { POISON, ScriptedBackend } from "../../../test/support/scripted-backend.ts";
import type { ModelManifest } from "../models/manifest.ts";
import { ModelRegistry } from "../models/registry.ts";
import type { CacheStore } from "../ports/cache-store.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import { Batcher } from "./batcher.ts";
import { createCacheKeyPrefixes } from "./cache-key.ts";
import { classify } from "./classify.ts";
import { Coalescer } from "./coalesce.ts";
import type { InferenceRequest } from "./request.ts";
import { ResultCache } from "./result-cache.ts";

const MANIFEST: ModelManifest = {
  schema: "sluice.model/v1",
  name: "m",
  version: "1.0.0",
  task: "classification",
  problemType: "single_label_classification",
  labels: ["number", "length"],
  languages: ["en"],
  tokenizer: { kind: "scripted" },
  model: { path: "model.onnx", sha256: "0".repeat(64) },
  inputs: { ids: "ids", padId: 0 },
  outputs: { logits: "logits" },
  description: "Answers the number that a text holds, and its length.",
  license: "Apache-2.0",
};

/** Text "17" is id 17; "poison" makes its batch fail. */
const tokenizer = {
  encode: (text: string) => ({
    ids: Int32Array.of(text === "poison" ? POISON : Number(text)),
    truncated: false,
  }),
};

function createMapCache(): CacheStore & { readonly entries: Map<string, Float32Array> } {
  const entries = new Map<string, Float32Array>();
  return {
    description: "map",
    entries,
    getMany: async (keys) => keys.map((key) => entries.get(key)),
    set: async (key, value) => void entries.set(key, value),
    close: async () => {},
  };
}

function setUp(store: CacheStore = createMapCache(), maxQueueItems = 10_000) {
  const clock = new FakeClock();
  const observer = new RecordingObserver();
  const registry = new ModelRegistry();
  const backend = new ScriptedBackend({ clock });
  const limits = {
    maxBatchItems: 8,
    maxBatchTokens: 1000,
    maxBatchRunMs: 1e9,
    maxQueueDelayMs: 0,
    minBatchItems: 8,
    maxQueueItems,
    maxQueueWaitMs: 1e9,
  };
  const batcher = new Batcher({ backend, clock, limits, observer });
  registry.discover("m", "1.0.0");
  for (const state of ["verifying", "loading", "warming"] as const) {
    registry.transition("m", "1.0.0", state);
  }
  registry.activate({
    manifest: MANIFEST,
    cacheKeyPrefixes: createCacheKeyPrefixes({ model: "m", version: "1.0.0", digest: "d" }),
    tokenizer,
    backend,
    batcher,
    observer,
  });
  const pipeline = {
    clock,
    registry,
    cache: new ResultCache(store, 1000, observer),
    coalescer: new Coalescer<Awaited<ReturnType<Batcher["submit"]>>>(clock),
  };
  const ask = async (texts: readonly string[], changes: Partial<InferenceRequest> = {}) => {
    const answer = classify(
      {
        model: "m",
        version: undefined,
        texts,
        options: { topK: 0, functionToApply: "none" },
        deadlineMs: clock.nowMs() + 1e6,
        cancellation: NEVER_CANCELLED,
        ...changes,
      },
      pipeline,
    );
    answer.catch(() => {});
    await clock.advance(1000);
    return answer;
  };
  return { clock, backend, observer, pipeline, ask };
}

const numberOf = (item: { ok: boolean } | undefined) =>
  item !== undefined && "labels" in item
    ? (item.labels as { label: string; score: number }[]).find((one) => one.label === "number")
        ?.score
    : undefined;

test("every text gets its own answer, in order, whatever mix of cached, equal and new texts is asked", async () => {
  const text = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(text, { minLength: 1, maxLength: 20 }), { maxLength: 8 }),
      async (days) => {
        const { ask } = setUp();
        for (const numbers of days) {
          const result = await ask(numbers.map(String));
          expect(result.items.map(numberOf)).toEqual(numbers);
        }
      },
    ),
    { numRuns: 100 },
  );
}, 30_000);

describe("cache and coalescing", () => {
  test("equal texts of one request run once and are remembered for the next", async () => {
    const { ask, backend, observer } = setUp();
    await ask(["7", "7", "7"]);
    expect(backend.runs.map((run) => run.owners)).toEqual([[7]]);
    await ask(["7"]);
    expect(backend.runs).toHaveLength(1);
    expect(observer.predictions.map((one) => one.source)).toEqual([
      "model",
      "coalesced",
      "coalesced",
      "cache",
    ]);
  });

  test("texts that differ only in form are one question", async () => {
    const { ask, backend } = setUp();
    await ask(["7", " ７\u200b"]);
    expect(backend.runs.map((run) => run.owners)).toEqual([[7]]);
  });

  test("another function to apply is another question", async () => {
    const { ask, backend } = setUp();
    await ask(["7"]);
    await ask(["7"], { options: { topK: 0, functionToApply: "softmax" } });
    expect(backend.runs).toHaveLength(2);
  });

  test("a failure is not remembered", async () => {
    const store = createMapCache();
    const { ask } = setUp(store);
    await expect(ask(["poison"])).rejects.toMatchObject({ code: "model_failed" });
    expect(store.entries.size).toBe(0);
  });

  test("a cache that is down fails no request and is reported", async () => {
    const broken: CacheStore = {
      description: "broken",
      getMany: () => Promise.reject(new Error("down")),
      set: () => Promise.reject(new Error("down")),
      close: async () => {},
    };
    const { ask, observer } = setUp(broken);
    const result = await ask(["7"]);
    expect(result.items.map(numberOf)).toEqual([7]);
    expect(observer.cacheErrors).toHaveLength(2);
  });
});

describe("failures", () => {
  test("one bad or empty text fails alone", async () => {
    const { ask } = setUp();
    const { items } = await ask(["1", "poison", " \t", "4"]);
    expect(items.map((item) => (item.ok ? "ok" : item.error.code))).toEqual([
      "ok",
      "model_failed",
      "invalid_argument",
      "ok",
    ]);
  });

  test("an unknown version is named together with those that exist", async () => {
    const { ask } = setUp();
    await expect(ask(["1"], { version: "9.9.9" })).rejects.toMatchObject({
      code: "not_found",
      message: expect.stringContaining("1.0.0"),
    });
    await expect(ask(["1"], { model: "other" })).rejects.toMatchObject({ code: "not_found" });
  });

  test("a request that the queue cannot take whole is refused whole", async () => {
    const { ask, pipeline, clock, backend } = setUp(createMapCache(), 3);
    void askAlone(pipeline, clock.nowMs());
    await clock.settle();
    void askAlone(pipeline, clock.nowMs(), "5");
    await clock.settle();
    const refused = classify(
      {
        model: "m",
        version: undefined,
        texts: ["1", "2", "3"],
        options: { topK: 0, functionToApply: "none" },
        deadlineMs: 1e6,
        cancellation: NEVER_CANCELLED,
      },
      pipeline,
    );
    await expect(refused).rejects.toMatchObject({ code: "overloaded" });
    await ask(["6"]);
    expect(backend.runs.flatMap((run) => run.owners)).toEqual([4, 5, 6]);
  });

  test("a caller that goes away is not computed for", async () => {
    const { ask, backend } = setUp();
    const source = new CancelSource();
    source.cancel();
    await expect(ask(["1"], { cancellation: source })).rejects.toMatchObject({ code: "cancelled" });
    expect(backend.runs).toEqual([]);
  });
});

async function askAlone(
  pipeline: Parameters<typeof classify>[1],
  nowMs: number,
  text = "4",
): Promise<void> {
  await classify(
    {
      model: "m",
      version: undefined,
      texts: [text],
      options: { topK: 0, functionToApply: "none" },
      deadlineMs: nowMs + 1e6,
      cancellation: NEVER_CANCELLED,
    },
    pipeline,
  );
}
