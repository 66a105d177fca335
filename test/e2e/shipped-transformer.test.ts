import { readdir, stat } from "node:fs/promises";
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

const MODELS = fileURLToPath(new URL("../../models", import.meta.url));
const LABELS = ["negative", "positive"];

interface Output {
  readonly labels: readonly { readonly label: string; readonly score: number }[];
  readonly model_version: string;
  readonly windows?: number;
}

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    "models.directory": MODELS,
    "rate-limit.requests": "0",
    "overload.max-event-loop-lag-ms": "0",
    // On a busy machine the tests' large requests would be refused, rightly.
    "batching.max-queue-wait-ms": "600000",
  });
});
afterAll(() => server.drain());

/** What the default version, or the one for the text's language, says. */
async function predict(inputs: readonly string[]): Promise<Output[]> {
  const outputs: Output[] = [];
  for (let i = 0; i < inputs.length; i += 500) {
    const body = JSON.stringify({ inputs: inputs.slice(i, i + 500), top_k: 0 });
    const headers = { "content-type": "application/json", "x-request-timeout-ms": "300000" };
    const answer = await fetch(`${server.url}/v1/predictions`, { method: "POST", headers, body });
    outputs.push(...((await answer.json()) as { outputs: Output[] }).outputs);
  }
  return outputs;
}

const scoreOf = ({ labels }: Output, label: string) =>
  labels.find((one) => one.label === label)?.score ?? 0;

test("English goes to the transformer and Chinese to the version that knows it, side by side", async () => {
  const outputs = await predict([
    "The food was wonderful and the staff were friendly.",
    "这家餐厅的服务太差了，再也不来了。",
    "Not bad at all; I would go again.",
  ]);
  expect(outputs.map((output) => output.model_version)).toEqual(["2.0.0", "1.0.0", "2.0.0"]);
  expect(outputs.map((output) => output.labels[0]?.label)).toEqual([
    "positive",
    "negative",
    "positive",
  ]);
});

test("it transfers to products and places that it never saw", async () => {
  const outputs = await predict([...POSITIVE_OPINIONS, ...NEGATIVE_OPINIONS]);
  const right = outputs.filter(
    (output, i) => scoreOf(output, "positive") > 0.5 === i < POSITIVE_OPINIONS.length,
  );
  expect(right.length / outputs.length).toBeGreaterThanOrEqual(0.9);
});

test("a long text is read in windows, and its end counts", async () => {
  const start = "The plot follows a man who walks through a town. ".repeat(30);
  const [good, bad] = await predict([
    `${start} ${"A wonderful, moving, brilliant film. ".repeat(40)}`,
    `${start} ${"A dull, tiresome, awful film. ".repeat(40)}`,
  ]);
  expect(good?.windows).toBeGreaterThan(1);
  expect(good && scoreOf(good, "positive")).toBeGreaterThan(0.5);
  expect(bad && scoreOf(bad, "negative")).toBeGreaterThan(0.5);
});

test("the package is at most 25 MB", async () => {
  const folder = `${MODELS}/text-classification/2.0.0`;
  const files = await readdir(folder);
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(`${folder}/${file}`)).size),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(25_000_000);
});

const FILES = ["evalonly_sst2_dev", "goemotions", "sentence_polarity"];

describeWithData("the shipped transformer on labelled data, through the API", FILES, () => {
  let mix: SentimentMix;
  beforeAll(async () => {
    mix = await buildSentimentMix(createDataFolder(dataPath(""), () => {}));
  }, 60_000);

  const measure = async (name: string) => {
    const texts = mix.tests.find((set) => set.name === name)?.texts ?? [];
    const outputs = await predict(texts.map(({ text }) => text));
    const scored = texts.map(({ sentiment }, i) => {
      const output = outputs[i];
      const probabilities = LABELS.map((label) => (output ? scoreOf(output, label) : 0));
      return { label: LABELS.indexOf(sentiment), probabilities };
    });
    return computeClassificationMetrics(scored, LABELS.length);
  };

  test("SST-2 dev: at least 87 % right, and confidences that mean what they say", async () => {
    const { accuracy, calibrationError } = await measure("SST-2 dev");
    expect(accuracy).toBeGreaterThanOrEqual(0.87);
    expect(calibrationError).toBeLessThanOrEqual(0.05);
  }, 120_000);

  test("GoEmotions dev: at least 90 % right, both labels weighing the same", async () => {
    const { balancedAccuracy, calibrationError } = await measure("GoEmotions dev");
    expect(balancedAccuracy).toBeGreaterThanOrEqual(0.9);
    expect(calibrationError).toBeLessThanOrEqual(0.05);
  }, 120_000);
});
