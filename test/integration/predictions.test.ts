import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelFolder } from "../support/model-folder.ts";
import { createModelFolder } from "../support/model-folder.ts";
import { SMALL_ENCODER } from "../support/small-encoder.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";
import { createTinyExport } from "../support/tiny-export.ts";

interface Output {
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly vector: readonly number[];
  readonly model_version: string;
  readonly source: string;
  readonly windows?: number;
  readonly truncated?: boolean;
  readonly abstained?: boolean;
  readonly error?: { readonly code: string; readonly details: readonly { field: string }[] };
}

interface Answer {
  readonly outputs: readonly Output[];
  readonly error: { readonly code: string; readonly message: string };
  readonly model: string;
  readonly model_version: string;
  readonly request_id: string;
}

const LABELS = ["negative", "neutral", "positive"];
const CLASSIFIER = { architecture: "BertForSequenceClassification", labels: LABELS } as const;

let models: ModelFolder;
let server: TestServer;
beforeAll(async () => {
  models = await createModelFolder();
  await models.write({ model: "bags" });
  await models.writeFiles("reviews", createTinyExport(CLASSIFIER));
  await models.writeFiles("sentences", createTinyExport({ architecture: "BertModel" }));
  await models.writeFiles("reranker", createTinyExport({ ...CLASSIFIER, labels: ["LABEL_0"] }));
  for (const [version, language] of [
    ["1.0.0", "zh"],
    ["2.0.0", "en"],
  ]) {
    await models.writeFiles(`routed/${version}`, {
      ...createTinyExport(CLASSIFIER),
      "manifest.json": {
        schema: "sluice.model/v1",
        extends: "config.json",
        languages: [language],
        labels: LABELS.map((label) => `${label}-${language}`),
      },
    });
  }
  server = await startTestServer({
    "models.directory": models.path,
    "models.default-model": "reviews",
    "rate-limit.requests": "0",
    "overload.max-event-loop-lag-ms": "0",
    "inference.workers": "1",
  });
}, 60_000);
afterAll(async () => {
  await server.drain();
  await models.remove();
});

async function ask(body: unknown): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(`${server.url}/v1/predictions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, answer: (await response.json()) as Answer };
}

async function outputsOf(body: unknown): Promise<readonly Output[]> {
  const { status, answer } = await ask(body);
  expect(status, JSON.stringify(answer)).toBe(200);
  return answer.outputs;
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

test("every model is ready and GET /models says what it is for", async () => {
  const { models: listed } = (await (await fetch(`${server.url}/models`)).json()) as {
    models: Record<string, unknown>[];
  };
  expect(
    listed.map(({ model, version, state, task, reason }) => [
      `${model} ${version}`,
      state,
      task,
      reason,
    ]),
  ).toEqual([
    ["bags 1.0.0", "ready", "classification", undefined],
    ["reranker 1.0.0", "ready", "scoring", undefined],
    ["reviews 1.0.0", "ready", "classification", undefined],
    ["routed 1.0.0", "ready", "classification", undefined],
    ["routed 2.0.0", "ready", "classification", undefined],
    ["sentences 1.0.0", "ready", "embedding", undefined],
  ]);
  const [, reranker, reviews] = listed;
  expect(reranker?.["labels"]).toEqual(["score"]);
  expect(reviews?.["labels"]).toEqual(LABELS);
  expect(reviews?.["backend"]).toMatch(/^onnxruntime, /);
});

describe("a classifier", () => {
  test("gives labels with scores that add up to one, and says which version and where from", async () => {
    const body = { inputs: ["the food was good", "the movie was bad"], top_k: 0 };
    const { status, answer } = await ask(body);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ model: "reviews", model_version: "1.0.0" });
    expect(answer.request_id).toMatch(/^[0-9a-f-]{36}$/);
    for (const { labels, model_version, source } of answer.outputs) {
      expect(labels.map(({ label }) => label).toSorted()).toEqual(LABELS);
      expect(labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 4);
      expect([model_version, source]).toEqual(["1.0.0", "model"]);
    }
    const again = await outputsOf(body);
    expect(again.map(({ source }) => source)).toEqual(["cache", "cache"]);
    expect(again.map(({ labels }) => labels)).toEqual(answer.outputs.map(({ labels }) => labels));
  });

  test("gives a text the same scores alone and among many others", async () => {
    const inputs = Array.from({ length: 40 }, (_, i) => `day ${"very ".repeat(i % 11)}good ${i}`);
    const together = await outputsOf({ inputs, top_k: 0, function_to_apply: "none" });
    expect(together.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([]);
    const fresh = await startTestServer({
      "models.directory": models.path,
      "cache.store.driver": "none",
      "rate-limit.requests": "0",
      "overload.max-event-loop-lag-ms": "0",
      "inference.workers": "1",
    });
    for (const [index, text] of inputs.entries()) {
      const response = await fetch(`${fresh.url}/v1/predictions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          inputs: [text],
          model: "reviews",
          top_k: 0,
          function_to_apply: "none",
        }),
      });
      const { outputs } = (await response.json()) as Answer;
      expect(outputs[0]?.labels).toEqual(together[index]?.labels);
    }
    await fresh.drain();
  });

  test("says how many pieces a long text was read in, and whether all of it was read", async () => {
    const words = (count: number) => Array.from({ length: count }, () => "good").join(" ");
    const [short, long, longest] = await outputsOf({
      inputs: [words(20), words(150), words(990)],
      top_k: 0,
    });
    expect([short?.windows, short?.truncated]).toEqual([undefined, undefined]);
    expect(long?.windows).toBeGreaterThan(1);
    expect(long?.truncated).toBeUndefined();
    expect(longest).toMatchObject({ windows: 8, truncated: true });
    for (const output of [short, long, longest]) {
      expect(output?.labels.reduce((sum, { score }) => sum + score, 0)).toBeCloseTo(1, 4);
    }
  });

  test("abstains below the score that the caller wants", async () => {
    const inputs = ["is it good?"];
    const [sure] = await outputsOf({ inputs, abstain_below: 0 });
    const [unsure] = await outputsOf({ inputs, abstain_below: 1 });
    expect(sure?.labels).toHaveLength(1);
    expect(sure?.abstained).toBeUndefined();
    expect(unsure).toMatchObject({ labels: [], abstained: true });
    const response = await server.classify({ text: inputs[0], model: "reviews", abstain_below: 1 });
    expect(await response.json()).toMatchObject({ predictions: [], abstained: true });
  });

  test("answers on the bulk lane with the same scores", async () => {
    const [online] = await outputsOf({ inputs: ["no good food"], top_k: 0 });
    const [bulk] = await outputsOf({ inputs: ["no good food"], top_k: 0, lane: "bulk" });
    const [fresh] = await outputsOf({ inputs: ["no bad food"], top_k: 0, lane: "bulk" });
    expect(bulk?.labels).toEqual(online?.labels);
    expect(fresh?.source).toBe("model");
    expect((await ask({ inputs: ["x"], lane: "fast" })).status).toBe(400);
  });

  test("reads pairs, and the second text counts", async () => {
    const inputs = [
      { text: "good movie", pair: "bad food" },
      { text: "good movie", pair: "good food" },
      { text: "bad food", pair: "good movie" },
      "good movie",
    ];
    const outputs = await outputsOf({ inputs, top_k: 0, function_to_apply: "none" });
    expect(new Set(outputs.map(({ labels }) => JSON.stringify(labels))).size).toBe(4);
    const body = { text: "good movie", pair: "bad food", model: "reviews", top_k: 0 };
    const { predictions } = (await (await server.classify(body)).json()) as {
      predictions: { label: string; confidence: number }[];
    };
    const [asked] = await outputsOf({ inputs: [inputs[0]], top_k: 0 });
    expect(predictions.map(({ label, confidence }) => ({ label, score: confidence }))).toEqual(
      asked?.labels,
    );
  });

  test("of n-grams refuses pairs, each by itself", async () => {
    const inputs = ["fine", { text: "fine", pair: "too" }];
    const [fine, refused] = await outputsOf({ inputs, model: "bags" });
    expect(fine?.labels).toHaveLength(1);
    expect(refused?.error).toMatchObject({
      code: "invalid_argument",
      details: [{ field: "pair" }],
    });
    const { status, answer } = await ask({
      inputs: [{ text: "fine", pair: "too" }],
      model: "bags",
    });
    expect(status).toBe(400);
    expect(answer.error.message).toContain("single texts");
  });
});

describe("an embedding model", () => {
  test("gives vectors of length 1, the same alone and in company, and different for different texts", async () => {
    const inputs = ["good food", "bad movie", "the day was very, very good and the food was bad."];
    const together = await outputsOf({ inputs, model: "sentences" });
    for (const { vector } of together) {
      expect(vector).toHaveLength(SMALL_ENCODER.hiddenSize);
      expect(Math.sqrt(dot(vector, vector))).toBeCloseTo(1, 5);
    }
    expect(new Set(together.map(({ vector }) => vector.join())).size).toBe(3);
    const [alone] = await outputsOf({ inputs: ["  good   food "], model: "sentences" });
    expect(alone?.vector).toEqual(together[0]?.vector);
    expect(alone?.source).toBe("cache");
  });

  test("reads the beginning of a long text and says so", async () => {
    const text = Array.from({ length: 200 }, () => "good").join(" ");
    const [output] = await outputsOf({ inputs: [text], model: "sentences" });
    expect(output?.truncated).toBe(true);
    expect(output?.windows).toBeUndefined();
    expect(Math.sqrt(dot(output?.vector ?? [], output?.vector ?? []))).toBeCloseTo(1, 5);
  });

  test("asked on /classify says where to ask", async () => {
    for (const form of [{ text: "good food" }, { texts: ["good food", "bad food"] }]) {
      const response = await server.classify({ ...form, model: "sentences" });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain("POST /v1/predictions");
    }
  });
});

describe("a model that scores pairs", () => {
  const pair = { text: "is the food good?", pair: "the food was very good" };

  test("gives one score from 0 to 1 for a pair, and the raw one when asked for it", async () => {
    const [scored] = await outputsOf({ inputs: [pair], model: "reranker" });
    const [raw] = await outputsOf({ inputs: [pair], model: "reranker", function_to_apply: "none" });
    expect(scored?.labels).toEqual([{ label: "score", score: expect.any(Number) }]);
    const score = scored?.labels[0]?.score ?? Number.NaN;
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-(raw?.labels[0]?.score ?? Number.NaN))), 4);
  });

  test("tells which text comes first", async () => {
    const swapped = { text: pair.pair, pair: pair.text };
    const body = { inputs: [pair, swapped], model: "reranker", function_to_apply: "none" };
    const [one, other] = await outputsOf(body);
    expect(one?.labels).not.toEqual(other?.labels);
  });

  test("misses the second text of a single one, each by itself", async () => {
    const [scored, missing] = await outputsOf({ inputs: [pair, "alone"], model: "reranker" });
    expect(scored?.labels).toHaveLength(1);
    expect(missing?.error).toMatchObject({
      code: "invalid_argument",
      details: [{ field: "pair" }],
    });
    expect((await ask({ inputs: ["alone"], model: "reranker" })).status).toBe(400);
  });
});

describe("routing by language", () => {
  const inputs = ["the food was good", "今天天气很好", "服务不错 the"];

  test("each text goes to the version that was made for it", async () => {
    const { answer } = await ask({ inputs, model: "routed" });
    expect(answer.model_version).toBe("2.0.0");
    expect(answer.outputs.map((output) => output.model_version)).toEqual([
      "2.0.0",
      "1.0.0",
      "1.0.0",
    ]);
    expect(answer.outputs.map(({ labels }) => labels[0]?.label.slice(-3))).toEqual([
      "-en",
      "-zh",
      "-zh",
    ]);
  });

  test("a stated version answers everything", async () => {
    const outputs = await outputsOf({ inputs, model: "routed", model_version: "2.0.0" });
    expect(outputs.map((output) => output.model_version)).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
  });

  test("/classify names the version of each text that another one answered", async () => {
    const response = await server.classify({ texts: inputs, model: "routed" });
    const { results, model_version: version } = (await response.json()) as {
      results: { model_version?: string }[];
      model_version: string;
    };
    expect(version).toBe("2.0.0");
    expect(results.map((result) => result.model_version)).toEqual([undefined, "1.0.0", "1.0.0"]);
    const one = await server.classify({ text: "今天天气很好", model: "routed" });
    expect(await one.json()).toMatchObject({ model_version: "1.0.0" });
  });
});

test("one bad text fails alone, and when all are bad the request does", async () => {
  const [good, bad] = await outputsOf({ inputs: ["good", "  "] });
  expect(good?.labels).toHaveLength(1);
  expect(bad?.error?.code).toBe("invalid_argument");
  const { status, answer } = await ask({ inputs: [" ", "\t"] });
  expect([status, answer.error.code]).toEqual([400, "invalid_argument"]);
  expect((await ask({ inputs: ["x"], model: "nope" })).status).toBe(404);
  expect((await fetch(`${server.url}/v1/predictions`)).status).toBe(405);
});
