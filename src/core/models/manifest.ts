import { SluiceError } from "../errors.ts";
import type { ActivationFunction, ProblemType } from "../text/labels.ts";
import { ACTIVATION_FUNCTIONS, defaultActivation, PROBLEM_TYPES } from "../text/labels.ts";
import {
  FieldReader,
  isBoolean,
  isFilledString,
  isOneOf,
  isRecord,
  isShare,
  isStringList,
  isWhole,
  matches,
  quoted,
} from "./field-reader.ts";
import type { PackageFile } from "./package-file.ts";
import { isPackagePath, isSha256 } from "./package-file.ts";
import type { TokenFields } from "./token-fields.ts";
import { readTokenFields, TOKENIZER_FILE_KIND } from "./token-fields.ts";

/** Value of `schema` in every manifest of this generation. */
export const MANIFEST_SCHEMA = "sluice.model/v1";

/**
 * What a model answers about texts. classification: labels with scores. embedding: a vector. scoring: one number for a
 * pair of texts, as a cross-encoder gives it.
 */
const TEXT_TASKS = ["classification", "embedding", "scoring"] as const;
export type TextTask = (typeof TEXT_TASKS)[number];

/** What a model answers. tensor: whatever its graph makes of tensors that the caller sends. */
export const MODEL_TASKS = [...TEXT_TASKS, "tensor"] as const;
export type ModelTask = (typeof MODEL_TASKS)[number];

/** How the vectors of a text's tokens become one: their mean, the first one, or the graph has done it already. */
export const POOLINGS = ["none", "mean", "cls"] as const;
export type Pooling = (typeof POOLINGS)[number];

/** What is stated about a model of any task. */
interface CommonManifest {
  /** Letters, digits, `.`, `_` and `-`, no dot first: nothing that JSON or an address would escape. */
  readonly name: string;
  /** `major.minor.patch`. */
  readonly version: string;
  readonly model: PackageFile;
  readonly description: string;
  /** SPDX identifier or name; `unknown` when nobody says. */
  readonly license: string;
}

/** A model that reads and writes tensors. Its inputs and outputs are those of the graph. */
export interface TensorManifest extends CommonManifest {
  readonly task: "tensor";
  /**
   * Most rows of several requests that may share a run; 1 = every request runs alone. Only for models in which no row
   * has an influence on another, which a graph does not tell.
   */
  readonly maxJoinedRows: number;
}

/** A model that reads texts. */
export interface TextManifest extends CommonManifest, TokenFields {
  readonly task: TextTask;
  /** `regression` for scoring; means nothing for embedding, where it is `regression` too. */
  readonly problemType: ProblemType;
  /** Index = position in the model's output; all different. `["score"]` for scoring, empty for embedding. */
  readonly labels: readonly string[];
  /** BCP 47 tags of the languages that the model was trained for; empty when nobody says. */
  readonly languages: readonly string[];
  /** `ids`: name of the graph's input of ids; undefined: to be found in the graph. Short rows are filled with `padId`. */
  readonly inputs: { readonly ids: string | undefined; readonly padId: number };
  /** `name`: the graph's output that counts; undefined: to be found in the graph. `normalize`: to length 1. */
  readonly output: {
    readonly name: string | undefined;
    readonly pooling: Pooling;
    readonly normalize: boolean;
  };
  /** Makes scores of outputs unless the caller asks for another. */
  readonly defaultFunction: ActivationFunction;
  /** Multi-label only: from which score on a label is reported, 0..1. Labels without one are not filtered. */
  readonly thresholds: Readonly<Record<string, number>>;
  /** Single label only: a best score below this, 0..1, counts as no answer. */
  readonly abstainBelow: number | undefined;
}

/** Everything a server must know to serve a model version, whatever file said it. */
export type ModelManifest = TextManifest | TensorManifest;

const MAX_JOINED_ROWS = 65_536;
/** What only models of texts have. */
const TEXT_FIELDS = ["tokenizer", "labels", "problemType"];

const NAME_PATTERN = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const VERSION_PATTERN = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;

/** May be the name of a model and of its folder. */
export const isModelName = matches(NAME_PATTERN);
/** `major.minor.patch` without leading zeros. */
export const isModelVersion = matches(VERSION_PATTERN);

/**
 * Checks that `value` (the parsed JSON of a `manifest.json`, or the same fields from elsewhere) describes a model, and
 * reports everything that is wrong with it at once. Unknown extra fields are allowed and left out: training tools
 * record what they did beside what serving needs.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field.
 */
export function parseManifest(value: unknown): ModelManifest {
  if (!isRecord(value)) {
    throw new SluiceError("invalid_argument", "The manifest must be a JSON object.");
  }
  const read = new FieldReader(value);
  read.required("schema", `"${MANIFEST_SCHEMA}"`, isOneOf([MANIFEST_SCHEMA]), MANIFEST_SCHEMA);
  const nameRule = "letters, digits, dots, underscores and hyphens, no dot first";
  const name = read.required("name", nameRule, isModelName, "");
  const version = read.required("version", "major.minor.patch", isModelVersion, "");
  const task = read.required("task", quoted(MODEL_TASKS), isOneOf(MODEL_TASKS), "classification");
  const own = task === "tensor" ? readTensorFields(read) : readTextFields(read, task);
  const manifest: ModelManifest = {
    ...own,
    name,
    version,
    model: {
      path: read.required("model.path", "the name of a file in the package", isPackagePath, ""),
      sha256: read.required("model.sha256", "64 lower-case hex digits", isSha256, ""),
    },
    description: read.required("description", "a sentence", isFilledString, ""),
    license: read.required("license", "a licence name", isFilledString, ""),
  };
  if (read.problems.length === 0) return manifest;
  const summary = read.problems.map((p) => `${p.field} ${p.problem}`).join("; ");
  throw new SluiceError("invalid_argument", `Invalid manifest: ${summary}.`, {
    details: read.problems,
  });
}

function readTensorFields(read: FieldReader): Omit<TensorManifest, keyof CommonManifest> {
  for (const field of TEXT_FIELDS) {
    if (read.valueOf(field) !== undefined) read.reject(field, "must be left out for tensor");
  }
  const expected = `a whole number from 1 to ${MAX_JOINED_ROWS}`;
  const isRows = isWhole(1, MAX_JOINED_ROWS);
  return {
    task: "tensor",
    maxJoinedRows: read.optional("maxJoinedRows", expected, isRows, 1),
  };
}

function readTextFields(
  read: FieldReader,
  task: TextTask,
): Omit<TextManifest, keyof CommonManifest> {
  const problemType = readProblemType(read, task);
  const labels = readLabels(read, task, problemType);
  const tokenFields = readTokenFields(read, task === "classification");
  const isTransformer = tokenFields.tokenizer.kind === TOKENIZER_FILE_KIND;
  return {
    task,
    problemType,
    labels,
    languages: read.optional("languages", "a list of language tags", isStringList, []),
    ...tokenFields,
    inputs: {
      ids: readGraphName(read, "inputs.ids", "input", isTransformer),
      padId: isTransformer
        ? read.optional("inputs.padId", "a whole number ≥ 0", isWhole(0, 2 ** 31 - 1), 0)
        : read.required("inputs.padId", "a whole number ≥ 0", isWhole(0, 2 ** 31 - 1), 0),
    },
    output: readOutput(read, task, isTransformer),
    defaultFunction: readDefaultFunction(read, task, problemType, labels),
    thresholds: readThresholds(read, problemType, labels),
    abstainBelow: readAbstainBelow(read, problemType),
  };
}

function readProblemType(read: FieldReader, task: TextTask): ProblemType {
  if (task === "classification") {
    const expected = quoted(PROBLEM_TYPES);
    const isProblemType = isOneOf(PROBLEM_TYPES);
    return read.required("problemType", expected, isProblemType, "single_label_classification");
  }
  const expected = `"regression" or left out for ${task}`;
  return read.optional("problemType", expected, isOneOf(["regression"]), "regression");
}

function readLabels(
  read: FieldReader,
  task: TextTask,
  problemType: ProblemType,
): readonly string[] {
  if (task === "embedding") {
    return read.optional("labels", "empty or left out for embedding", isLabelList(0, 0), []);
  }
  if (task === "scoring") {
    return read.optional("labels", "one label or left out for scoring", isLabelList(1, 1), [
      "score",
    ]);
  }
  const minimum = problemType === "single_label_classification" ? 2 : 1;
  const expected = `a list of at least ${minimum === 2 ? "two" : "one"} different non-empty strings`;
  return read.required("labels", expected, isLabelList(minimum, Number.MAX_SAFE_INTEGER), []);
}

/** A transformer's graph has usual names; other graphs must state theirs. */
function readGraphName(
  read: FieldReader,
  field: string,
  what: "input" | "output",
  isTransformer: boolean,
): string | undefined {
  if (isTransformer && read.valueOf(field) === undefined) return undefined;
  return read.required(field, `the name of a graph ${what}`, isFilledString, "");
}

function readOutput(
  read: FieldReader,
  task: TextTask,
  isTransformer: boolean,
): TextManifest["output"] {
  // `outputs.logits` is the older spelling.
  const field = read.valueOf("output.name") === undefined ? "outputs.logits" : "output.name";
  const name = readGraphName(read, field, "output", isTransformer);
  if (task === "embedding") {
    return {
      name,
      pooling: read.optional("output.pooling", quoted(POOLINGS), isOneOf(POOLINGS), "mean"),
      normalize: read.optional("output.normalize", "true or false", isBoolean, true),
    };
  }
  const none = `"none" or left out for ${task}`;
  return {
    name,
    pooling: read.optional("output.pooling", none, isOneOf(["none"]), "none"),
    normalize: read.optional("output.normalize", `false or left out for ${task}`, isFalse, false),
  };
}

function readDefaultFunction(
  read: FieldReader,
  task: TextTask,
  problemType: ProblemType,
  labels: readonly string[],
): ActivationFunction {
  if (task === "embedding") {
    const none = '"none" or left out for embedding';
    return read.optional("defaultFunction", none, isOneOf(["none"]), "none");
  }
  // Cross-encoders are trained with a sigmoid on top unless they say otherwise (sentence-transformers, `CrossEncoder`).
  const fallback = task === "scoring" ? "sigmoid" : defaultActivation(problemType);
  const choices = ACTIVATION_FUNCTIONS.filter((one) => one !== "softmax" || labels.length !== 1);
  const expected = quoted(choices) + (labels.length === 1 ? " with one label" : "");
  return read.optional("defaultFunction", expected, isOneOf(choices), fallback);
}

function readThresholds(
  read: FieldReader,
  problemType: ProblemType,
  labels: readonly string[],
): Readonly<Record<string, number>> {
  const stated = read.optional("thresholds", "an object of labels and numbers", isRecord, {});
  const entries = Object.entries(stated);
  if (entries.length > 0 && problemType !== "multi_label_classification") {
    read.reject("thresholds", "must be left out unless problemType is multi_label_classification");
    return {};
  }
  const thresholds = new Map<string, number>();
  for (const [label, threshold] of entries) {
    const field = `thresholds.${label}`;
    if (!labels.includes(label)) read.reject(field, "must be one of the model's labels");
    else if (isShare(threshold)) thresholds.set(label, threshold);
    else read.reject(field, "must be a number from 0 to 1");
  }
  return Object.fromEntries(thresholds);
}

function readAbstainBelow(read: FieldReader, problemType: ProblemType): number | undefined {
  if (read.valueOf("abstainBelow") === undefined) return undefined;
  if (problemType !== "single_label_classification") {
    const rule = "must be left out unless problemType is single_label_classification";
    read.reject("abstainBelow", rule);
  }
  return read.required("abstainBelow", "a number from 0 to 1", isShare, 0);
}

function isLabelList(minimum: number, maximum: number) {
  return (value: unknown): value is readonly string[] =>
    isStringList(value) &&
    value.length >= minimum &&
    value.length <= maximum &&
    new Set(value).size === value.length;
}

function isFalse(value: unknown): value is false {
  return value === false;
}
