import { expect, test } from "vitest";
import { CancelSource } from "../../../test/support/cancel-source.ts";
import { createScriptedPipeline, numberOf } from "../../../test/support/scripted-pipeline.ts";
import { NEVER_CANCELLED } from "../ports/cancellation.ts";
import type { InferenceRequest } from "./request.ts";
import { MODEL_DEFAULTS } from "./request.ts";
import { runInference } from "./run-inference.ts";
import type { StreamedItem } from "./stream-inference.ts";
import { streamInference } from "./stream-inference.ts";

function requestOf(texts: readonly string[], changes: Partial<InferenceRequest> = {}) {
  return {
    model: "m",
    version: undefined,
    inputs: texts.map((text) => ({ text, pair: undefined })),
    options: { ...MODEL_DEFAULTS, topK: 0, functionToApply: "none" as const },
    flow: { id: "caller", weight: 1 },
    lane: "online" as const,
    deadlineMs: 1e9,
    cancellation: NEVER_CANCELLED,
    ...changes,
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, i) => String(i + 1));

async function readAll(
  items: AsyncIterable<StreamedItem>,
  into: StreamedItem[] = [],
): Promise<readonly StreamedItem[]> {
  for await (const item of items) into.push(item);
  return into;
}

test("every text of a long list has one answer, its own, though the queue would never hold them all", async () => {
  const { pipeline, clock } = createScriptedPipeline(undefined, 40);
  const reading = readAll(streamInference(requestOf(numbers(500)), pipeline, 16));
  await clock.advance(60_000);
  const items = await reading;
  expect(items.map(({ index }) => index).toSorted((a, b) => a - b)).toEqual(
    numbers(500).map((_, i) => i),
  );
  for (const { index, item } of items) expect(numberOf(item)).toBe(index + 1);
});

test("answers come as they are ready, not when the last one is", async () => {
  const { pipeline, clock, backend } = createScriptedPipeline();
  const seen: StreamedItem[] = [];
  const reading = readAll(streamInference(requestOf(numbers(64)), pipeline, 8), seen);
  while (backend.runs.length < 2) await clock.advance(1);
  await clock.advance(1);
  expect(seen.length).toBeGreaterThan(0);
  expect(seen.length).toBeLessThan(64);
  await clock.advance(60_000);
  expect(await reading).toHaveLength(64);
});

test("a text that fails is one item among the others", async () => {
  const { pipeline, clock } = createScriptedPipeline();
  const texts = ["1", "poison", "3", " ", "5"];
  const reading = readAll(streamInference(requestOf(texts), pipeline, 2));
  await clock.advance(60_000);
  const failed = (await reading).filter(({ item }) => !item.ok);
  expect(failed.map(({ index }) => index).toSorted()).toEqual([1, 3]);
});

test("a request that nobody can answer throws before the first item", async () => {
  const { pipeline, clock } = createScriptedPipeline();
  const request = requestOf(numbers(40), { model: "nothing" });
  const reading = readAll(streamInference(request, pipeline, 8));
  const failed = expect(reading).rejects.toMatchObject({ code: "not_found" });
  await clock.advance(1000);
  await failed;
});

test("a slice for which there is no room waits until there is", async () => {
  const { pipeline, clock, observer } = createScriptedPipeline(undefined, 20);
  const others = numbers(20).map((text) => runInference(requestOf([`7${text}`]), pipeline));
  const reading = readAll(streamInference(requestOf(numbers(20)), pipeline, 10));
  await clock.advance(60_000);
  await Promise.all(others);
  expect((await reading).every(({ item }) => item.ok)).toBe(true);
  expect(observer.failures).toEqual([]);
});

test("texts that nobody gets to in time fail at the deadline, each with the reason", async () => {
  const { pipeline, clock, pace } = createScriptedPipeline();
  pace.runMs = 20_000;
  const request = requestOf(numbers(40), { deadlineMs: clock.nowMs() + 3000 });
  const reading = readAll(streamInference(request, pipeline, 10));
  await clock.advance(60_000);
  const codes = (await reading).map(({ item }) => (item.ok ? "answered" : item.error.code));
  expect(new Set(codes)).toEqual(new Set(["deadline_exceeded", "overloaded"]));
});

test("nothing more is asked once the caller has gone", async () => {
  const { pipeline, clock, backend } = createScriptedPipeline();
  const source = new CancelSource();
  const reading = readAll(
    streamInference(requestOf(numbers(400), { cancellation: source }), pipeline, 8),
  );
  while (backend.runs.length < 2) await clock.advance(1);
  source.cancel();
  await clock.advance(60_000);
  await reading;
  expect(backend.runs.length).toBeLessThan(10);
});
