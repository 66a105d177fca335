import { SluiceError } from "../../core/errors.ts";
import { createHashedNgramsTokenizer } from "../../tokenizers/hashed-ngrams/hashed-ngrams.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "../../tokenizers/hashed-ngrams/settings.ts";
import { findLeaks } from "../data/find-leaks.ts";
import { evaluateClassifier } from "../evaluate/evaluate-classifier.ts";
import { writeNgramClassifier } from "../onnx/write-ngram-classifier.ts";
import { createBagClassifier } from "../train/bag-classifier.ts";
import { toPackageWeights, toServedModel } from "../train/to-package-weights.ts";
import type { TrainedClassifier, TrainOptions } from "../train/train-classifier.ts";
import { DEFAULT_TRAIN_OPTIONS, trainClassifier } from "../train/train-classifier.ts";
import type { MemberReport } from "../train/train-members.ts";
import type { ModelPackage } from "../train/write-package.ts";
import { toSha256 } from "../train/write-package.ts";
import type { SourcedText } from "./data-folder.ts";
import { createDataFolder } from "./data-folder.ts";
import type { SentimentMix, TestSet } from "./sentiment-mix.ts";
import { buildSentimentMix } from "./sentiment-mix.ts";
import { SENTIMENT_LABELS, toTrainingExamples } from "./sentiment-weights.ts";
import type { TestResult } from "./test-result.ts";
import { toRecordedResult } from "./test-result.ts";
import { createSentimentCard } from "./text-classification-card.ts";

/** What may differ between two runs of the recipe. */
export interface TextClassificationRecipeOptions {
  /** The folder with the data sets. */
  readonly dataFolder: string;
  readonly name: string;
  readonly version: string;
  /** Anything of these overrides the recipe's own settings. */
  readonly overrides: Partial<TrainOptions>;
}

/** A finished recipe: the package to write and what was measured. */
export interface TextClassificationResult {
  readonly package: ModelPackage;
  readonly results: readonly TestResult[];
  readonly trained: TrainedClassifier;
}

/** The settings that the shipped model was trained with. */
export const TEXT_CLASSIFICATION_OPTIONS: TrainOptions = {
  ...DEFAULT_TRAIN_OPTIONS,
  labels: SENTIMENT_LABELS,
  tokenizer: { ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets: 2 ** 20 },
  dimensions: 1,
  epochs: 12,
  members: 4,
};

/**
 * Trains, measures and documents the sentiment model for English and Chinese that ships with Sluice. The same data files
 * and options give the same package, byte for byte.
 *
 * @throws SluiceError `not_found` when a data set is missing; `internal` when a test text got into the training texts.
 */
export async function runTextClassificationRecipe(
  options: TextClassificationRecipeOptions,
  onEpoch: (report: MemberReport) => void,
): Promise<TextClassificationResult> {
  const { name, version, dataFolder, overrides } = options;
  const settings: TrainOptions = { ...TEXT_CLASSIFICATION_OPTIONS, ...overrides };
  const digests = new Map<string, string>();
  const data = createDataFolder(dataFolder, (path, bytes) => digests.set(path, toSha256(bytes)));
  const mix = await buildSentimentMix(data);
  const examples = {
    training: toTrainingExamples(mix.training),
    validation: toTrainingExamples(mix.validation),
  };
  const trained = await trainClassifier(examples, settings, onEpoch);
  const results = await measure(trained, settings, mix);
  const modelBytes = writeNgramClassifier(toPackageWeights(trained.model));
  const training = {
    recipe: "text-classification",
    ...describeSettings(settings),
    temperature: trained.temperature,
    members: trained.members,
    texts: countTexts(mix.training),
    validationTexts: mix.validation.length,
    results: results.map(toRecordedResult),
    dataSha256: Object.fromEntries([...digests].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
  return {
    results,
    trained,
    package: {
      name,
      version,
      labels: settings.labels,
      languages: ["en", "zh"],
      description:
        "Sentiment of a text in English or Chinese: negative or positive. A linear model over hashed n-grams.",
      license: "Apache-2.0",
      tokenizer: settings.tokenizer,
      modelBytes,
      card: createSentimentCard({ name, version, settings, mix, results, trained, modelBytes }),
      training,
    },
  };
}

async function measure(
  trained: TrainedClassifier,
  settings: TrainOptions,
  mix: SentimentMix,
): Promise<TestResult[]> {
  const tokenizer = createHashedNgramsTokenizer(settings.tokenizer);
  const classifier = createBagClassifier(toServedModel(trained.model), tokenizer, settings.labels);
  const seen = [...mix.training, ...mix.validation].map(({ text }) => text);
  const results: TestResult[] = [];
  for (const { name, texts } of splitChinese(mix.tests)) {
    const examples = texts.map(({ text, sentiment }) => ({ text, label: sentiment }));
    const metrics = await evaluateClassifier(classifier, examples);
    const { leaks } = findLeaks(
      seen,
      texts.map(({ text }) => text),
    );
    if (leaks.length > 0) {
      throw new SluiceError("internal", `${leaks.length} texts of ${name} were trained on.`);
    }
    results.push({ name, metrics, leaks: leaks.length });
  }
  return results;
}

/** The Chinese test set is a mix of an easy and a hard source: both are also reported alone. */
function splitChinese(tests: readonly TestSet[]): TestSet[] {
  return tests.flatMap((test) => {
    const sources = [...new Set(test.texts.map(({ source }) => source))];
    if (sources.length < 2) return [test];
    const parts = sources.map((source) => ({
      name: `${test.name}: ${source}`,
      texts: test.texts.filter((text) => text.source === source),
    }));
    return [test, ...parts];
  });
}

/** Everything but the number of threads, which changes nothing, and what the manifest states elsewhere. */
function describeSettings(settings: TrainOptions): Record<string, unknown> {
  const { threads: _threads, tokenizer: _tokenizer, labels: _labels, ...described } = settings;
  return { settings: described };
}

function countTexts(texts: readonly SourcedText[]): Record<string, Record<string, number>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { source, sentiment } of texts) {
    const row = counts[source] ?? {};
    row[sentiment] = (row[sentiment] ?? 0) + 1;
    counts[source] = row;
  }
  return counts;
}
