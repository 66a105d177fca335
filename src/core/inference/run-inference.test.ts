import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import {
  createMapCache,
  createScriptedPipeline,
  numberOf,
} from "../../../test/support/scripted-pipeline.ts";
import type { CacheStore } from "../ports/cache-store.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { Lane } from "./lanes.ts";
import type { InferenceRequest } from "./request.ts";
import { MODEL_DEFAULTS } from "./request.ts";
import type { InferencePipeline } from "./run-inference.ts";
import { runInference } from "./run-inference.ts";

/** The outputs as they are. */
const RAW = { ...MODEL_DEFAULTS, topK: 0, functionToApply: "none" } as const;

function setUp(...options: Parameters<typeof createScriptedPipeline>) {
  const scripted = createScriptedPipeline(...options);
  const { clock, pipeline } = scripted;
  const ask = async (texts: readonly string[], changes: Partial<InferenceRequest> = {}) => {
    const answer = runInference(
      {
        model: "m",
        version: undefined,
        inputs: texts.map((text) => ({ text, pair: undefined })),
        options: RAW,
        flow: { id: "caller", weight: 1 },
        lane: "online",
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
  return { ...scripted, ask };
}

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

  test("bulk work is answered from the cache, and drives nothing out of it", async () => {
    const { ask, backend, observer } = setUp();
    await ask(["7"]);
    await ask(["7", "8"], { lane: "bulk" });
    await ask(["8"]);
    expect(backend.runs.map((run) => run.owners)).toEqual([[7], [8], [8]]);
    expect(observer.predictions.map((one) => one.source)).toEqual([
      ...["model", "cache", "model", "model"],
    ]);
  });

  test("texts that differ only in form are one question", async () => {
    const { ask, backend } = setUp();
    await ask(["7", " ７\u200b"]);
    expect(backend.runs.map((run) => run.owners)).toEqual([[7]]);
  });

  test("another function to apply is answered from the same outputs", async () => {
    const { ask, backend } = setUp();
    await ask(["7"]);
    const { items } = await ask(["7"], { options: { ...RAW, functionToApply: "softmax" } });
    expect(backend.runs).toHaveLength(1);
    expect(numberOf(items[0])).toBeCloseTo(1 / (1 + Math.exp(1 - 7)), 5);
  });

  test("of many texts only those are run that are not known yet", async () => {
    const { ask, backend, observer } = setUp();
    const known = Array.from({ length: 90 }, (_, i) => String(i + 1));
    await ask(known);
    const runsBefore = backend.runs.length;
    await ask([...known, ...Array.from({ length: 10 }, (_, i) => String(i + 500))]);
    const owners = backend.runs.slice(runsBefore).flatMap((run) => run.owners);
    expect(owners.toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => i + 500));
    expect(observer.predictions.slice(90).filter(({ source }) => source === "cache")).toHaveLength(
      90,
    );
  });

  test("whoever waits does not wait behind bulk work for the same text", async () => {
    const { ask, backend, pipeline, clock } = setUp();
    void askAlone(pipeline, clock.nowMs(), "9", "bulk");
    await ask(["9"]);
    expect(backend.runs.flatMap((run) => run.owners)).toEqual([9, 9]);
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

describe("a text in several windows", () => {
  test("its outputs are the mean of its windows, and it says how many there were, also from the cache", async () => {
    const { ask, backend } = setUp();
    for (const source of ["model", "cache"]) {
      const { items } = await ask(["2 4 9"]);
      expect(numberOf(items[0])).toBe(5);
      expect(items[0]).toMatchObject({ ok: true, windows: 3, truncated: false, source });
    }
    expect(backend.runs.map((run) => run.owners)).toEqual([[2, 4, 9]]);
  });

  test("that something was left out is said, also from the cache", async () => {
    const { ask } = setUp();
    await ask(["0 0 0 7"]);
    expect((await ask(["0 0 0 7"])).items[0]).toMatchObject({ windows: 4, truncated: true });
  });

  test("when one window fails, so does the text, and nobody else", async () => {
    const { ask } = setUp();
    const { items } = await ask(["1 poison", "3"]);
    expect(items.map((item) => item.ok)).toEqual([false, true]);
  });

  test("a caller that goes away takes all windows along", async () => {
    const { pipeline, backend, clock } = setUp();
    const source = new CancelSource();
    const answer = runInference(
      {
        model: "m",
        version: undefined,
        inputs: [{ text: "1 2 3", pair: undefined }],
        options: RAW,
        flow: { id: "caller", weight: 1 },
        lane: "online",
        deadlineMs: 1e6,
        cancellation: source,
      },
      pipeline,
    );
    // Far enough that the windows wait for the end of the turn, in which they would be sent.
    for (let i = 0; i < 5; i++) await Promise.resolve();
    source.cancel();
    await expect(answer).rejects.toMatchObject({ code: "cancelled" });
    await clock.advance(100);
    expect(backend.runs).toEqual([]);
    expect(source.listenerCount).toBe(0);
  });
});

describe("pairs", () => {
  test("a model that reads single texts refuses a pair by name", async () => {
    const { ask } = setUp();
    const inputs = [{ text: "1", pair: "2" }];
    await expect(ask([], { inputs })).rejects.toMatchObject({
      code: "invalid_argument",
      details: [{ field: "pair", problem: expect.stringContaining("reads single texts") }],
    });
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
    const refused = runInference(
      {
        model: "m",
        version: undefined,
        inputs: ["1", "2", "3"].map((text) => ({ text, pair: undefined })),
        options: RAW,
        flow: { id: "caller", weight: 1 },
        lane: "online",
        deadlineMs: 1e6,
        cancellation: NEVER_CANCELLED,
      },
      pipeline,
    );
    await expect(refused).rejects.toMatchObject({ code: "overloaded" });
    await ask(["6"]);
    expect(backend.runs.flatMap((run) => run.owners)).toEqual([4, 5, 6]);
  });

  test("a request that is let in is let in whole, however long its own texts take", async () => {
    const { ask } = setUp(createMapCache(), 10_000, { maxQueueWaitMs: 50 });
    const { items } = await ask(Array.from({ length: 200 }, (_, i) => String(i + 1)));
    expect(items.every((item) => item.ok)).toBe(true);
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
  pipeline: InferencePipeline,
  nowMs: number,
  text = "4",
  lane: Lane = "online",
): Promise<void> {
  await runInference(
    {
      model: "m",
      version: undefined,
      inputs: [{ text, pair: undefined }],
      options: RAW,
      flow: { id: "caller", weight: 1 },
      lane,
      deadlineMs: nowMs + 1e6,
      cancellation: NEVER_CANCELLED,
    },
    pipeline,
  );
}
