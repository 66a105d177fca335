import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { computeClassificationMetrics } from "../../src/model-tools/evaluate/classification-metrics.ts";
import { createDataFolder } from "../../src/model-tools/recipes/data-folder.ts";
import type { SentimentMix } from "../../src/model-tools/recipes/sentiment-mix.ts";
import { buildSentimentMix } from "../../src/model-tools/recipes/sentiment-mix.ts";
import { NEGATIVE_OPINIONS, POSITIVE_OPINIONS } from "../support/opinions.ts";
import { dataPath, describeWithData } from "../support/shared-data.ts";
import type { TestServer } from "../support/test-server.ts";
import { startTestServer } from "../support/test-server.ts";

const LABELS = ["negative", "positive"];

let server: TestServer;
beforeAll(async () => {
  const models = fileURLToPath(new URL("../../models", import.meta.url));
  server = await startTestServer({
    "models.directory": models,
    "rate-limit.requests": "0",
    // The test computes in the server's own process, which therefore falls behind.
    "overload.max-event-loop-lag-ms": "0",
  });
});
afterAll(() => server.drain());

/** Scores in the order of LABELS, through the HTTP API. */
async function predict(texts: readonly string[]): Promise<number[][]> {
  const rows: number[][] = [];
  for (let i = 0; i < texts.length; i += 500) {
    const body = { texts: texts.slice(i, i + 500), top_k: 0, model_version: "1.0.0" };
    const { results } = (await (await server.classify(body)).json()) as {
      results: { predictions: { label: string; confidence: number }[] }[];
    };
    for (const { predictions } of results) {
      const scoreOf = (label: string) => predictions.find((one) => one.label === label)?.confidence;
      rows.push(LABELS.map((label) => scoreOf(label) ?? 0));
    }
  }
  return rows;
}

test("the first curl of the README and its Chinese sister get plausible labels", async () => {
  const [english, chinese] = await predict([
    "The food was wonderful and the staff were friendly.",
    "这家餐厅的服务太差了，再也不来了。",
  ]);
  expect(english?.[1]).toBeGreaterThan(0.8);
  expect(chinese?.[0]).toBeGreaterThan(0.8);
});

test("it transfers to products and places that it never saw", async () => {
  const rows = await predict([...POSITIVE_OPINIONS, ...NEGATIVE_OPINIONS]);
  const right = rows.filter((row, i) => {
    const isPositive = (row[1] ?? 0) > 0.5;
    return isPositive === i < POSITIVE_OPINIONS.length;
  });
  expect(right.length / rows.length).toBeGreaterThanOrEqual(0.8);
});

test("the package is at most 8 MB", async () => {
  const model = new URL("../../models/text-classification/1.0.0/model.onnx", import.meta.url);
  expect((await stat(model)).size).toBeLessThanOrEqual(8_000_000);
});

const FILES = ["evalonly_sst2_dev", "goemotions", "zh_conversation_sentiment", "sentence_polarity"];

describeWithData("the shipped model on labelled data, through the API", FILES, () => {
  let mix: SentimentMix;
  beforeAll(async () => {
    mix = await buildSentimentMix(createDataFolder(dataPath(""), () => {}));
  }, 60_000);

  const measure = async (name: string) => {
    const texts = mix.tests.find((set) => set.name === name)?.texts ?? [];
    const rows = await predict(texts.map(({ text }) => text));
    const scored = texts.map(({ sentiment }, i) => ({
      label: LABELS.indexOf(sentiment),
      probabilities: rows[i] ?? [],
    }));
    return computeClassificationMetrics(scored, LABELS.length);
  };

  test.each([
    ["SST-2 dev", "accuracy", 0.805],
    ["GoEmotions dev", "balancedAccuracy", 0.86],
    ["Chinese", "balancedAccuracy", 0.84],
  ] as const)("%s: %s of at least %d, calibrated within 0.05", async (name, figure, floor) => {
    const metrics = await measure(name);
    const { [figure]: value } = metrics;
    expect(value).toBeGreaterThanOrEqual(floor);
    expect(metrics.calibrationError).toBeLessThanOrEqual(0.05);
  });

  test("no text that it is measured on was trained on, by a key made here", () => {
    const keyOf = (text: string) => text.toLowerCase().replace(/[\s\p{P}]+/gu, "");
    const seen = new Set([...mix.training, ...mix.validation].map(({ text }) => keyOf(text)));
    expect(seen.size).toBeGreaterThan(100_000);
    for (const { name, texts } of mix.tests) {
      const leaks = texts.filter(({ text }) => keyOf(text) !== "" && seen.has(keyOf(text)));
      expect(
        leaks.map(({ text }) => text),
        name,
      ).toEqual([]);
    }
  });
});
