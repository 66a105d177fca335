import { expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { createScriptedPipeline } from "../../../test/support/scripted-pipeline.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { CacheStore } from "../ports/cache-store.ts";
import { answerTexts } from "./answer-texts.ts";
import type { GraphDeclaration } from "./graph.ts";
import { toGraph } from "./graph.ts";

const M = { model: "m", version: "1.0.0" };
const AGAIN = { ...M, when: { confidenceAtLeast: 0 } };
const FORGETFUL: CacheStore = {
  description: "none",
  getMany: async (keys) => keys.map(() => undefined),
  set: async () => {},
  close: async () => {},
};

function createGraphPipeline(...graphs: readonly GraphDeclaration[]) {
  const scripted = createScriptedPipeline(FORGETFUL);
  const byName = new Map(graphs.map((graph) => [graph.name, toGraph(graph)]));
  return { ...scripted, pipeline: { ...scripted.pipeline, graphs: byName } };
}

const requestOf = (model: string, texts: readonly string[]) => ({
  model,
  version: undefined,
  inputs: texts.map((text) => ({ text, pair: undefined })),
  options: MODEL_DEFAULTS,
  deadlineMs: 1e6,
  cancellation: new CancelSource(),
  flow: { id: "f", weight: 1 },
  lane: "online" as const,
});

test("texts that take the same step are asked in one batch, and the steps tell how many they were", async () => {
  const { clock, backend, pipeline } = createGraphPipeline({
    name: "g",
    switch: [{ ...M, when: { language: "zh" } }],
    otherwise: M,
  });
  const answer = answerTexts(requestOf("g", ["1", "2", "3"]), pipeline);
  await clock.advance(50);
  const { items, steps } = await answer;
  expect(items.map((item) => item.ok && item.answeredBy)).toEqual([[M], [M], [M]]);
  expect(steps?.map(({ name, texts }) => ({ name, texts }))).toEqual([
    { name: "m 1.0.0", texts: 3 },
  ]);
  expect(backend.runs.map(({ owners }) => owners.length)).toEqual([3]);
});

test("a text that fails at a step fails alone, goes no further, and is told last", async () => {
  const { clock, pipeline } = createGraphPipeline({
    name: "g",
    sequence: [M, AGAIN],
  });
  const told: number[] = [];
  const answer = answerTexts(requestOf("g", ["poison", "5"]), pipeline, (at) => told.push(at));
  await clock.advance(500);
  const { items, steps } = await answer;
  expect(items.map(({ ok }) => ok)).toEqual([false, true]);
  expect(told).toEqual([1, 0]);
  expect(steps?.map(({ texts }) => texts)).toEqual([2, 1]);
});

test("when the time is over while the second of three steps runs, the request is late and the third is not run", async () => {
  const { backend, clock, pace, pipeline } = createGraphPipeline({
    name: "g",
    sequence: [M, AGAIN, AGAIN],
  });
  pace.runMs = 30;
  const request = { ...requestOf("g", ["1", "2"]), deadlineMs: 45 };
  const failure = answerTexts(request, pipeline).catch((thrown: unknown) => thrown);
  await clock.advance(1000);
  expect(await failure).toMatchObject({ code: "deadline_exceeded" });
  expect(backend.runs).toHaveLength(2);
});

test("when the caller goes away, no further step is run", async () => {
  const { backend, clock, pace, pipeline } = createGraphPipeline({
    name: "g",
    sequence: [M, AGAIN],
  });
  pace.runMs = 30;
  const cancellation = new CancelSource();
  const request = { ...requestOf("g", ["1", "2"]), cancellation };
  const failure = answerTexts(request, pipeline).catch((thrown: unknown) => thrown);
  await clock.advance(10);
  cancellation.cancel();
  await clock.advance(1000);
  expect(await failure).toMatchObject({ code: "cancelled" });
  expect(backend.runs).toHaveLength(1);
  expect(cancellation.listenerCount).toBe(0);
});
