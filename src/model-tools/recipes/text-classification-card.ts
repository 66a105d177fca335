import { toPercent, toPercentRange } from "../evaluate/format-report.ts";
import type { TrainedClassifier, TrainOptions } from "../train/train-classifier.ts";
import { toSha256 } from "../train/write-package.ts";
import { SENTIMENT_DATA_CREDITS } from "./sentiment-credits.ts";
import type { SentimentMix } from "./sentiment-mix.ts";
import type { TestResult } from "./test-result.ts";

export interface SentimentCardInput {
  readonly name: string;
  readonly version: string;
  readonly settings: TrainOptions;
  readonly mix: SentimentMix;
  readonly results: readonly TestResult[];
  readonly trained: TrainedClassifier;
  readonly modelBytes: Uint8Array;
}

/** Writes the model card (Mitchell et al., "Model Cards for Model Reporting", FAccT 2019) as Markdown. */
export function createSentimentCard(input: SentimentCardInput): string {
  return [
    `# ${input.name} ${input.version}`,
    describeModel(input),
    "## Intended use",
    INTENDED_USE,
    "## Results",
    describeResults(input.results),
    "## Known limits",
    LIMITS,
    "## Training data",
    describeData(input.mix),
    "## Training",
    describeTraining(input),
    "## How to reproduce",
    describeReproduction(input),
  ].join("\n\n");
}

function describeModel({ settings, modelBytes }: SentimentCardInput): string {
  const { tokenizer } = settings;
  const megabytes = (modelBytes.length / 1e6).toFixed(1);
  return (
    `Tells whether a text is \`${settings.labels.join("` or `")}\`, in English and Chinese. A linear model over hashed ` +
    `words, pairs of words, word beginnings and (Chinese) character n-grams: ${tokenizer.buckets.toLocaleString("en")} ` +
    `buckets, ${megabytes} MB, a few microseconds per text on one CPU core. The weights are under the Apache License 2.0; ` +
    "the credits below must stay with them."
  );
}

const INTENDED_USE = `For sorting and counting opinions in short texts: reviews, comments, feedback, chat lines. It is the model that Sluice
starts with, so that every part of the platform can be tried on something real. Not for decisions about people, and not
where single mistakes are costly: about one text in five to one in seven is judged wrongly.`;

const LIMITS = `- There is no neutral label. A text without an opinion gets one anyway, often, but not always, with a low confidence.
- It sees words and neighbours, not sentences: irony, comparison ("better than the awful first one") and negation over
  a distance escape it.
- It learned from reviews of movies and products, Reddit, subtitles and Chinese chat and microblogs. Other subjects,
  such as places or news, were not measured; the product test shows what happens on kinds of products never seen.
- Formal or literary Chinese and traditional characters are rare in the training texts. The Chinese chat labels were made
  automatically by their authors; the score on them is high because the same method labelled the test texts.
- The sources hold rude language and the prejudices of their writers. Names of groups may carry a sentiment that they
  should not have. Check this before using it on texts about people.
- Languages other than English and Chinese give guesses.`;

function describeResults(results: readonly TestResult[]): string {
  const rows = results.map(({ name, metrics, leaks }) =>
    [
      name,
      metrics.count,
      `${toPercent(metrics.accuracy)} (${toPercentRange(metrics.accuracyInterval)})`,
      `${toPercent(metrics.balancedAccuracy)} (${toPercentRange(metrics.balancedAccuracyInterval)})`,
      toPercent(metrics.macroF1),
      metrics.calibrationError.toFixed(3),
      leaks,
    ].join(" | "),
  );
  return `In brackets: 95 % confidence intervals (accuracy: Wilson; balanced accuracy: normal). Calibration error: expected
calibration error over 15 bins. Leaks: texts of the test set that were trained on, compared without case, blanks and
punctuation.

| test set | texts | accuracy | balanced accuracy | macro F1 | calibration error | leaks |
| --- | --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${row} |`).join("\n")}

- **SST-2 dev**: English movie-review sentences. Used for measuring only: neither trained on nor used to stop or calibrate.
- **GoEmotions dev**: English Reddit comments whose emotions are all positive or all negative by the official grouping.
- **Unseen products**: review sentences about a diaper pail and an antivirus program. No sentence about these two products
  was trained on, and no other product in the data is of their kind.
- **Chinese**: a tenth of the distinct texts of the two Chinese sources, chosen by a hash of the text; then each alone.

Features, source weights and settings were chosen on held-out parts of the training sources (a quarter of
sentence_polarity, a tenth of GoEmotions train, three products and others). The test sets above were seen about ten times on
the way, to check that a choice carries over; differences between candidates were within their intervals.`;
}

function describeData(mix: SentimentMix): string {
  const counts = new Map<string, number>();
  for (const { source } of mix.training) counts.set(source, (counts.get(source) ?? 0) + 1);
  const rows = SENTIMENT_DATA_CREDITS.map(
    ({ source, what, license, citation }) =>
      `| ${source} | ${what} | ${(counts.get(source) ?? 0).toLocaleString("en")} | ${license} | ${citation} |`,
  );
  return `${mix.training.length.toLocaleString("en")} distinct texts (${mix.validation.length.toLocaleString("en")} more for
early stopping and calibration), after normalizing and dropping repetitions; texts that equal a test text were dropped, as
were the lines of sentence_polarity that SST-2 took into its dev and test sets. Neutral texts count half as negative and
half as positive.

| source | what | texts | licence | citation |
| --- | --- | --- | --- | --- |
${rows.join("\n")}`;
}

function describeTraining({ settings, trained }: SentimentCardInput): string {
  const passes = trained.members.map(({ epoch }) => epoch).join(", ");
  return `Logistic regression by stochastic gradient descent with a step size per feature (AdaGrad), L2 decay and feature
scales by log-count ratio (NB-SVM); the mean of ${settings.members} runs with different seeds (passes kept: ${passes}).
Confidences are scaled by one temperature (${trained.temperature.toFixed(3)}) fitted on the validation texts. All settings are
in \`manifest.json\` under \`training\`, with the SHA-256 of every data file.`;
}

function describeReproduction({ name, version, modelBytes }: SentimentCardInput): string {
  return `\`\`\`sh
npx sluice train --recipe text-classification --data ../shared/data --output models/${name}/${version}
\`\`\`

Gives this very file (SHA-256 of \`model.onnx\`: \`${toSha256(modelBytes)}\`) with the same Node.js release,
whatever the number of threads.
`;
}
