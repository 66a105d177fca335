import { describe, expect, test } from "vitest";
import { createHashedNgramsTokenizer } from "../../tokenizers/hashed-ngrams/hashed-ngrams.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "../../tokenizers/hashed-ngrams/settings.ts";
import { evaluateClassifier } from "../evaluate/evaluate-classifier.ts";
import { createBagClassifier } from "./bag-classifier.ts";
import type { TrainingExample } from "./example-set.ts";
import { createRandom } from "./random.ts";
import { toServedModel } from "./to-package-weights.ts";
import type { TrainOptions } from "./train-classifier.ts";
import { DEFAULT_TRAIN_OPTIONS, trainClassifier } from "./train-classifier.ts";

const tokenizer = { ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets: 2 ** 10 };
const TWO_LABELS: TrainOptions = {
  ...DEFAULT_TRAIN_OPTIONS,
  labels: ["negative", "positive"],
  tokenizer,
  dimensions: 1,
  epochs: 5,
  threads: 0,
};
const FIVE_LABELS: TrainOptions = {
  ...TWO_LABELS,
  labels: ["a", "b", "c", "d", "e"],
  dimensions: 4,
  epochs: 15,
};

/** Each label has three telling words among noise. */
function createExamples(classes: number, count: number, seed: number): TrainingExample[] {
  const random = createRandom(seed);
  const pick = (size: number) => Math.floor(random() * size);
  return Array.from({ length: count }, (_, i) => {
    const label = i % classes;
    const words = Array.from({ length: 5 }, () => `noise${pick(40)}`);
    words.splice(pick(5), 0, `telling${label}x${pick(3)}`);
    return { text: words.join(" "), label, weight: 1 };
  });
}

async function measureAccuracy(options: TrainOptions): Promise<number> {
  const classes = options.labels.length;
  const { model } = await trainClassifier(
    {
      training: createExamples(classes, 300, 1),
      validation: createExamples(classes, 100, 2),
    },
    options,
  );
  const test = createExamples(classes, 200, 3);
  const { accuracy } = await evaluateClassifier(
    createBagClassifier(
      toServedModel(model),
      createHashedNgramsTokenizer(tokenizer),
      options.labels,
    ),
    test.map(({ text, label }) => ({ text, label: options.labels[label] ?? "" })),
  );
  return accuracy;
}

describe("training", () => {
  test("learns two labels over one dimension", async () => {
    expect(await measureAccuracy(TWO_LABELS)).toBeGreaterThan(0.95);
  });

  test("learns more labels than dimensions, also after rounding to bytes", async () => {
    expect(await measureAccuracy(FIVE_LABELS)).toBeGreaterThan(0.9);
  });

  test("learns with the mean as combiner and with dropout", async () => {
    const options = { ...TWO_LABELS, combiner: "mean", featureDropout: 0.2 } as const;
    expect(await measureAccuracy(options)).toBeGreaterThan(0.95);
  });

  test("calibrates: where a fifth of the labels is wrong, confidences are near four fifths", async () => {
    const mislabel = (examples: TrainingExample[]) =>
      examples.map((example, i) =>
        Math.floor(i / 2) % 5 === 0 ? { ...example, label: 1 - example.label } : example,
      );
    const { model } = await trainClassifier(
      {
        training: mislabel(createExamples(2, 400, 1)),
        validation: mislabel(createExamples(2, 400, 2)),
      },
      TWO_LABELS,
    );
    const classifier = createBagClassifier(
      model,
      createHashedNgramsTokenizer(tokenizer),
      TWO_LABELS.labels,
    );
    const { calibrationError } = await evaluateClassifier(
      classifier,
      mislabel(createExamples(2, 400, 3)).map(({ text, label }) => ({
        text,
        label: TWO_LABELS.labels[label] ?? "",
      })),
    );
    expect(calibrationError).toBeLessThan(0.1);
  });
});

describe("determinism", () => {
  const examples = {
    training: createExamples(2, 100, 1),
    validation: createExamples(2, 50, 2),
  };

  test("the same seed gives the same bits, with any number of threads", async () => {
    const runs = await Promise.all(
      [0, 1, 2].map((threads) => trainClassifier(examples, { ...TWO_LABELS, threads })),
    );
    const [first, ...others] = runs;
    for (const other of others) expect(other).toEqual(first);
  });

  test("another seed gives other bits", async () => {
    const first = await trainClassifier(examples, TWO_LABELS);
    const second = await trainClassifier(examples, { ...TWO_LABELS, seed: 2 });
    expect(second.model.embeddings).not.toEqual(first.model.embeddings);
  });

  test("every pass of every member is reported", async () => {
    const reports: string[] = [];
    await trainClassifier(
      { ...examples, validation: [] },
      { ...TWO_LABELS, epochs: 2, members: 2 },
      ({ member, epoch }) => reports.push(`${member}:${epoch}`),
    );
    expect(reports).toEqual(["0:1", "0:2", "1:1", "1:2"]);
  });
});

describe("refusals", () => {
  const examples = { training: createExamples(2, 10, 1), validation: [] };

  test.each([
    ["labels", { labels: ["only"] }],
    ["epochs", { epochs: 0 }],
    ["learningRate", { learningRate: Number.NaN }],
    ["featureDropout", { featureDropout: 1 }],
    ["threads", { threads: -1 }],
    ["dimensions", { labels: ["a", "b", "c"], dimensions: 1, members: 2 }],
  ])("wrong %s are named", async (field, changes) => {
    const training = trainClassifier(examples, { ...TWO_LABELS, ...changes });
    await expect(training).rejects.toThrow(`${field} must be`);
  });

  test("a label without examples is named", async () => {
    const options = { ...TWO_LABELS, labels: ["negative", "positive", "neutral"], dimensions: 3 };
    await expect(trainClassifier(examples, options)).rejects.toThrow('"neutral"');
  });
});
