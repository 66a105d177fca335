import type { Lane } from "../../core/inference/lanes.ts";
import type { InferenceOptions, TextInput } from "../../core/inference/request.ts";
import type { ActivationFunction } from "../../core/text/labels.ts";
import { ACTIVATION_FUNCTIONS } from "../../core/text/labels.ts";
import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader, nameOf } from "../native/field-reader.ts";
import {
  assertParameters,
  EMPTY,
  findOption,
  NO_CHOICES,
  readCount,
  readFlag,
  readModel,
  readParameters,
  readText,
} from "./read-fields.ts";
import type { Truncation } from "./truncation.ts";
import { readTruncation } from "./truncation.ts";

/** Texts and what the core wants to know about them. */
export interface DecodedTexts {
  /** `undefined` = whichever model suits. */
  readonly model: string | undefined;
  readonly version: undefined;
  readonly inputs: readonly TextInput[];
  readonly options: InferenceOptions;
  readonly lane: Lane;
}

/** The body of `POST /predict`, decoded. */
export interface DecodedPredict extends DecodedTexts, Truncation {
  /** Whether the answer is a list of lists of labels, one per text, or the one list itself. */
  readonly isNested: boolean;
}

export interface PredictDialect {
  /**
   * The request came to the address of Hugging Face's task API, whose clients read a list of lists also for one text.
   * A body with `parameters` is taken for one of theirs at any address.
   */
  readonly isTaskApi: boolean;
}

/** What only Text Embeddings Inference knows; such a body comes from one of its clients. */
const OWN_FIELDS = ["raw_scores", "truncate", "truncation_direction"];

/**
 * Reads the parsed JSON body of `POST /predict`, which two programs define.
 *
 * Text Embeddings Inference: `"a"` and `["a"]` are a text, `["a", "b"]` is a pair, and `[["a"], ["b", "c"]]` are
 * several of these. Hugging Face's task API, which has `parameters`: `["a", "b"]` are two texts, and a pair is
 * `{"text": "a", "text_pair": "b"}`. Both of its official clients (`@huggingface/inference` 4.13 and `huggingface_hub`
 * 1.0 to 2.4, by their sources) send one text and read the first entry of a list of lists, whereas Text Embeddings
 * Inference answers one text with the list itself.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodePredict(
  body: unknown,
  limits: InputLimits,
  { isTaskApi }: PredictDialect,
): DecodedPredict {
  const read = new FieldReader(body);
  const hasParameters = readParameters(read) !== undefined;
  const hasOwnFields = OWN_FIELDS.some((name) => read.fields[name] !== undefined);
  const found = new InputReader(read, limits, hasParameters).read(read.fields["inputs"]);
  assertParameters(read);
  refuseCandidates(read);
  const decoded = {
    ...NO_CHOICES,
    ...readTruncation(read),
    model: readModel(read),
    inputs: found.inputs,
    options: readPredictOptions(read),
    isNested: found.isBatch || hasParameters || (isTaskApi && !hasOwnFields),
  };
  read.assertNoProblems();
  return decoded;
}

interface FoundInputs {
  readonly inputs: readonly TextInput[];
  readonly isBatch: boolean;
}

class InputReader {
  readonly #read: FieldReader;
  readonly #limits: InputLimits;
  readonly #isFlatListBatch: boolean;

  constructor(read: FieldReader, limits: InputLimits, isFlatListBatch: boolean) {
    this.#read = read;
    this.#limits = limits;
    this.#isFlatListBatch = isFlatListBatch;
  }

  read(value: unknown): FoundInputs {
    if (!Array.isArray(value)) return { inputs: [this.#one("inputs", value)], isBatch: false };
    const isPair = !this.#isFlatListBatch && typeof value[0] === "string";
    if (isPair) return { inputs: [this.#pair("inputs", value)], isBatch: false };
    const max = this.#limits.maxTextsPerRequest;
    if (value.length === 0) this.#read.report("inputs", EMPTY);
    if (value.length > max) {
      this.#read.report("inputs", `must hold at most ${max} texts; found ${value.length}`);
      return { inputs: [], isBatch: true };
    }
    const inputs = value.map((entry: unknown, index) => {
      const field = `inputs[${index}]`;
      if (Array.isArray(entry)) return this.#pair(field, entry);
      if (this.#isFlatListBatch) return this.#one(field, entry);
      return this.#misfit(field, entry);
    });
    return { inputs, isBatch: true };
  }

  #one(field: string, value: unknown): TextInput {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return { text: readText(this.#read, field, value, this.#limits), pair: undefined };
    }
    const { text, text_pair: pair = null } = value as Readonly<Record<string, unknown>>;
    return {
      text: readText(this.#read, `${field}.text`, text, this.#limits),
      pair:
        pair === null ? undefined : readText(this.#read, `${field}.text_pair`, pair, this.#limits),
    };
  }

  #pair(field: string, texts: readonly unknown[]): TextInput {
    if (texts.length === 0) this.#read.report(field, EMPTY);
    if (texts.length === 0 || texts.length > 2) {
      const what = `holds ${texts.length} texts; one is a text, two are a pair`;
      if (texts.length > 2)
        this.#read.report(field, `${what}, and several texts are [["a"], ["b"]]`);
      return NOTHING;
    }
    const [text, pair] = texts;
    return {
      text: readText(this.#read, `${field}[0]`, text, this.#limits),
      pair:
        texts.length === 1 ? undefined : readText(this.#read, `${field}[1]`, pair, this.#limits),
    };
  }

  #misfit(field: string, value: unknown): TextInput {
    this.#read.report(field, `must be a list of one text or two; found ${nameOf(value)}`);
    return NOTHING;
  }
}

/** Stands for what was reported. */
const NOTHING: TextInput = { text: "", pair: undefined };

/** All labels, unless the task API's `top_k` says how many; scores as the model's own, unless told otherwise. */
function readPredictOptions(read: FieldReader): InferenceOptions {
  const isRaw = readFlag(read, "raw_scores", false);
  const asked = readFunction(read);
  return {
    topK: readCount(read, "top_k", Number.MAX_SAFE_INTEGER) ?? 0,
    functionToApply: isRaw ? "none" : asked,
    // These clients expect labels, and judge scores themselves.
    abstainBelow: 0,
  };
}

function readFunction(read: FieldReader): ActivationFunction | undefined {
  const { field, value } = findOption(read, "function_to_apply");
  const known = ACTIVATION_FUNCTIONS.find((name) => name === value);
  if (value === undefined || known !== undefined) return known;
  const choices = ACTIVATION_FUNCTIONS.join(", ");
  read.report(field, `must be one of ${choices}; found ${nameOf(value)}`);
  return undefined;
}

/** Labels of the caller's own need a model that weighs statements against a text, which is another task. */
function refuseCandidates(read: FieldReader): void {
  const { field, value } = findOption(read, "candidate_labels");
  if (value === undefined) return;
  read.report(
    field,
    "is zero-shot classification; models here give the labels they were trained on",
  );
}
