import { expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { createScriptedPipeline } from "../../../test/support/scripted-pipeline.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import { answerTexts } from "./answer-texts.ts";
import type { GraphDeclaration } from "./graph.ts";
import { toGraph } from "./graph.ts";

const M = { model: "m", version: "1.0.0" };

function createGraphPipeline(...graphs: readonly GraphDeclaration[]) {
  const scripted = createScriptedPipeline();
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
    sequence: [M, { ...M, when: { confidenceAtLeast: 0 } }],
  });
  const told: number[] = [];
  const answer = answerTexts(requestOf("g", ["poison", "5"]), pipeline, (at) => told.push(at));
  await clock.advance(500);
  const { items, steps } = await answer;
  expect(items.map(({ ok }) => ok)).toEqual([false, true]);
  expect(told).toEqual([1, 0]);
  expect(steps?.map(({ texts }) => texts)).toEqual([2, 1]);
});
