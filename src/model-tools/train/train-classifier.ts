import { SluiceError } from "../../core/errors.ts";
import { createHashedNgramsTokenizer } from "../../tokenizers/hashed-ngrams/hashed-ngrams.ts";
import type { HashedNgramsSettings } from "../../tokenizers/hashed-ngrams/settings.ts";
import type { BagModel, Combiner } from "./bag-model.ts";
import { applyTemperature, findTemperature } from "./calibrate.ts";
import { balanceWeights } from "./class-weights.ts";
import type { TrainingExample } from "./example-set.ts";
import { packExamples } from "./example-set.ts";
import { computeFeatureScales } from "./feature-scales.ts";
import type { MemberSettings } from "./member.ts";
import { mergeMembers } from "./merge-members.ts";
import type { MemberReport } from "./train-members.ts";
import { trainMembers } from "./train-members.ts";

/** How to train. Together with the examples these decide every bit of the result, except `threads`, which does not. */
export interface TrainOptions {
  /** In the order of the model's outputs; examples refer to them by index. */
  readonly labels: readonly string[];
  readonly tokenizer: HashedNgramsSettings;
  /** Length of the embeddings of the whole model. 1 for two labels, or the number of labels, makes it plain linear. */
  readonly dimensions: number;
  readonly combiner: Combiner;
  readonly epochs: number;
  readonly patience: number;
  readonly learningRate: number;
  readonly l2: number;
  readonly featureDropout: number;
  /** Independently trained models whose mean is taken; divides `dimensions` unless the model is plain linear. */
  readonly members: number;
  readonly seed: number;
  /** `balanced`: labels count alike, however many examples each has. */
  readonly classWeights: "none" | "balanced";
  /** Worker threads; 0 trains in the calling thread. */
  readonly threads: number;
}

/** What `sluice train` uses where nothing else is said. */
export const DEFAULT_TRAIN_OPTIONS = {
  combiner: "sqrtn",
  epochs: 20,
  patience: 3,
  learningRate: 0.5,
  l2: 1e-6,
  featureDropout: 0,
  members: 2,
  seed: 1,
  classWeights: "none",
  threads: 2,
} as const satisfies Partial<TrainOptions>;

/** A trained and calibrated classifier, and how the training went. */
export interface TrainedClassifier {
  readonly model: BagModel;
  /** What the logits were divided by; already part of `model`. */
  readonly temperature: number;
  /** Per member: the pass that was kept and its loss on the validation examples. */
  readonly members: readonly { readonly epoch: number; readonly validationLoss: number }[];
}

/** What to learn from, and what to judge the learning by; they must not share texts, see `split-examples.ts`. */
export interface TrainExamples {
  readonly training: readonly TrainingExample[];
  /** For early stopping and calibration; may be empty, then all epochs run and confidences stay as they come. */
  readonly validation: readonly TrainingExample[];
}

/**
 * Trains a bag-of-n-grams classifier. Deterministic: same examples in the same order and same options, same bytes.
 *
 * @param onEpoch is called after every pass of every member.
 * @throws SluiceError `invalid_argument` when the options or examples cannot give a classifier.
 */
export async function trainClassifier(
  examples: TrainExamples,
  options: TrainOptions,
  onEpoch: (report: MemberReport) => void = () => {},
): Promise<TrainedClassifier> {
  assertOptions(options);
  const tokenizer = createHashedNgramsTokenizer(options.tokenizer);
  assertLabelsPresent(examples.training, options.labels);
  const training = packExamples(
    options.classWeights === "balanced" ? balanceWeights(examples.training) : examples.training,
    tokenizer,
  );
  const validation = packExamples(examples.validation, tokenizer);
  const members = await trainMembers({
    training,
    validation,
    members: toMemberSettings(
      options,
      computeFeatureScales(training, options.tokenizer.buckets, options.labels.length),
    ),
    threads: options.threads,
    onEpoch,
  });
  const merged = mergeMembers(members.map((member) => member.model));
  const temperature = findTemperature(merged, validation);
  return {
    model: applyTemperature(merged, temperature),
    temperature,
    members: members.map(({ epoch, validationLoss }) => ({ epoch, validationLoss })),
  };
}

function toMemberSettings(options: TrainOptions, featureScales: Float32Array): MemberSettings[] {
  const { combiner, epochs, patience, learningRate, l2, featureDropout, seed } = options;
  const classes = options.labels.length;
  const { buckets } = options.tokenizer;
  const dimensions = isPlainLinear(options)
    ? options.dimensions
    : options.dimensions / options.members;
  return Array.from({ length: options.members }, (_, member) => ({
    buckets,
    dimensions,
    classes,
    combiner,
    epochs,
    patience,
    learningRate,
    l2,
    featureDropout,
    // Far enough apart that seed 1's second member is not seed 2's first.
    seed: Math.imul(seed, 0x9e3779b1) + member,
    featureScales,
  }));
}

function isPlainLinear({ dimensions, labels }: TrainOptions): boolean {
  return dimensions === labels.length || (dimensions === 1 && labels.length === 2);
}

function assertOptions(options: TrainOptions): void {
  const problems: { field: string; problem: string }[] = [];
  const expect = (field: keyof TrainOptions, expected: string, isValid: boolean) => {
    if (!isValid) problems.push({ field, problem: `must be ${expected}; found ${options[field]}` });
  };
  const isWhole = (value: number, min: number, max: number) =>
    Number.isInteger(value) && value >= min && value <= max;
  expect("labels", "at least two labels", options.labels.length >= 2);
  expect("dimensions", "a whole number from 1 to 1024", isWhole(options.dimensions, 1, 1024));
  expect("epochs", "a whole number from 1 to 1000", isWhole(options.epochs, 1, 1000));
  expect("patience", "a whole number from 1 to 1000", isWhole(options.patience, 1, 1000));
  expect("members", "a whole number from 1 to 64", isWhole(options.members, 1, 64));
  expect("threads", "a whole number from 0 to 64", isWhole(options.threads, 0, 64));
  expect("seed", "a whole number", Number.isSafeInteger(options.seed));
  expect(
    "learningRate",
    "above 0 and at most 100",
    options.learningRate > 0 && options.learningRate <= 100,
  );
  expect("l2", "0 or more", options.l2 >= 0 && options.l2 <= 1);
  expect(
    "featureDropout",
    "from 0 to below 1",
    options.featureDropout >= 0 && options.featureDropout < 1,
  );
  if (!isPlainLinear(options) && options.dimensions % options.members !== 0) {
    expect("dimensions", `a multiple of members (${options.members})`, false);
  }
  if (problems.length === 0) return;
  const summary = problems.map((p) => `${p.field} ${p.problem}`).join("; ");
  throw new SluiceError("invalid_argument", `Cannot train: ${summary}.`, { details: problems });
}

function assertLabelsPresent(
  examples: readonly TrainingExample[],
  labels: readonly string[],
): void {
  const seen = new Set(examples.map((example) => example.label));
  const missing = labels.filter((_, index) => !seen.has(index));
  if (missing.length === 0) return;
  throw new SluiceError(
    "invalid_argument",
    `Cannot train: no training example has the label ${missing.map((l) => JSON.stringify(l)).join(", ")}.`,
  );
}
