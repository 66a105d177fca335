import { basename } from "node:path";
import { createHashedNgramsTokenizer } from "../../tokenizers/hashed-ngrams/hashed-ngrams.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "../../tokenizers/hashed-ngrams/settings.ts";
import type { LabelledText } from "../data/labelled-text.ts";
import { toTextKey } from "../data/text-key.ts";
import { evaluateClassifier } from "../evaluate/evaluate-classifier.ts";
import { writeNgramClassifier } from "../onnx/write-ngram-classifier.ts";
import { createBagClassifier } from "../train/bag-classifier.ts";
import type { TrainingExample } from "../train/example-set.ts";
import { splitExamples } from "../train/split-examples.ts";
import { toPackageWeights, toServedModel } from "../train/to-package-weights.ts";
import type { TrainOptions } from "../train/train-classifier.ts";
import { DEFAULT_TRAIN_OPTIONS, trainClassifier } from "../train/train-classifier.ts";
import type { MemberReport } from "../train/train-members.ts";
import type { ModelPackage } from "../train/write-package.ts";
import { toSha256 } from "../train/write-package.ts";
import { createLabelledFileCard } from "./labelled-file-card.ts";
import type { TestResult } from "./test-result.ts";
import { toRecordedResult } from "./test-result.ts";

/** What to make of a file of labelled texts. */
export interface LabelledFileOptions {
  readonly name: string;
  readonly version: string;
  /** For the record; only its last part is kept. */
  readonly dataPath: string;
  readonly languages: readonly string[];
  readonly license: string;
  /** Share of the distinct texts held out for early stopping, calibration and the reported figures. */
  readonly validationShare: number;
  /** Anything of these overrides the defaults, which follow the number of labels. */
  readonly overrides: Partial<TrainOptions>;
  /** Size of the table; a power of two. */
  readonly buckets?: number;
}

/** The package to write, and how the model does on the texts held out. */
export interface LabelledFileResult {
  readonly package: ModelPackage;
  /** Undefined when nothing was held out. */
  readonly heldOut: TestResult | undefined;
}

/** With more labels than this a model gets fewer dimensions than labels, which keeps its file small. */
const MAX_PLAIN_LABELS = 32;
const EMBEDDING_DIMENSIONS = 64;
/** Values in the table of a model of default shape, unless that made it too narrow or too wide. */
const TABLE_VALUES = 2 ** 20;

/** Trains a classifier on one's own texts. The same texts and options give the same package, byte for byte. */
export async function trainFromLabelledTexts(
  texts: readonly LabelledText[],
  options: LabelledFileOptions,
  onEpoch: (report: MemberReport) => void,
): Promise<LabelledFileResult> {
  const { name, version } = options;
  const labels = [...new Set(texts.map(({ label }) => label))].sort();
  const settings = toSettings(labels, options);
  const split = splitExamples(dropRepetitions(texts), options.validationShare, "validation");
  const toExamples = (part: readonly LabelledText[]): TrainingExample[] =>
    part.map(({ text, label }) => ({ text, label: labels.indexOf(label), weight: 1 }));
  const trained = await trainClassifier(
    { training: toExamples(split.kept), validation: toExamples(split.heldOut) },
    settings,
    onEpoch,
  );
  const classifier = createBagClassifier(
    toServedModel(trained.model),
    createHashedNgramsTokenizer(settings.tokenizer),
    labels,
  );
  const heldOut: TestResult | undefined =
    split.heldOut.length === 0
      ? undefined
      : {
          name: "held-out texts",
          metrics: await evaluateClassifier(classifier, split.heldOut),
          leaks: 0,
        };
  const { threads: _threads, tokenizer: _tokenizer, labels: _labels, ...described } = settings;
  const modelBytes = writeNgramClassifier(toPackageWeights(trained.model));
  const data = { file: basename(options.dataPath), texts: texts.length, kept: split.kept.length };
  return {
    heldOut,
    package: {
      name,
      version,
      labels,
      languages: options.languages,
      description: `Tells ${labels.length} labels apart; trained on ${data.file}.`,
      license: options.license,
      tokenizer: settings.tokenizer,
      modelBytes,
      card: createLabelledFileCard({ name, version, data, labels, heldOut }),
      training: {
        settings: { ...described, validationShare: options.validationShare },
        temperature: trained.temperature,
        members: trained.members,
        data: { ...data, sha256: toSha256(JSON.stringify(texts)) },
        results: heldOut === undefined ? [] : [toRecordedResult(heldOut)],
      },
    },
  };
}

function toSettings(labels: readonly string[], options: LabelledFileOptions): TrainOptions {
  const dimensions = options.overrides.dimensions ?? toDefaultDimensions(labels.length);
  const buckets = options.buckets ?? toDefaultBuckets(dimensions);
  return {
    ...DEFAULT_TRAIN_OPTIONS,
    labels,
    tokenizer: { ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets },
    ...options.overrides,
    dimensions,
  };
}

function toDefaultDimensions(classes: number): number {
  if (classes === 2) return 1;
  return classes <= MAX_PLAIN_LABELS ? classes : EMBEDDING_DIMENSIONS;
}

function toDefaultBuckets(dimensions: number): number {
  const exponent = Math.floor(Math.log2(TABLE_VALUES / dimensions));
  return 2 ** Math.min(Math.max(exponent, 16), 18);
}

/** Keeps the first of equal texts, as long as they agree; contradicting ones all stay, for there is no telling. */
function dropRepetitions(texts: readonly LabelledText[]): LabelledText[] {
  const seen = new Set<string>();
  return texts.filter(({ text, label }) => {
    const key = `${label}\n${toTextKey(text)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
