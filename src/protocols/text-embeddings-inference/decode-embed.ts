import type { TextInput } from "../../core/inference/request.ts";
import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader } from "../native/field-reader.ts";
import type { VectorShape } from "../shape-vector.ts";
import type { DecodedTexts } from "./decode-predict.ts";
import {
  assertParameters,
  findOption,
  NO_CHOICES,
  readCount,
  readEntries,
  readFlag,
  readModel,
  readText,
} from "./read-fields.ts";
import type { Truncation } from "./truncation.ts";
import { readTruncation } from "./truncation.ts";

/** The body of `POST /embed`, decoded. */
export interface DecodedEmbed extends DecodedTexts, Truncation {
  /** What a model makes at length 1 is not undone by `normalize: false`. */
  readonly shape: VectorShape;
}

/** No model makes vectors as long as this. */
const MAX_DIMENSIONS = 1_000_000;

/**
 * Reads the parsed JSON body of `POST /embed`: `inputs` is a text or a list of texts. Lists of ids, which Text
 * Embeddings Inference reads too, are refused: a text has to pass our own tokenizer, which bounds what a model reads.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeEmbed(body: unknown, limits: InputLimits): DecodedEmbed {
  const read = new FieldReader(body);
  const inputs = readEmbedInputs(read, limits);
  assertParameters(read);
  refusePrompt(read);
  const decoded = {
    ...NO_CHOICES,
    ...readTruncation(read),
    model: readModel(read),
    inputs,
    shape: {
      normalize: readFlag(read, "normalize", true),
      dimensions: readCount(read, "dimensions", MAX_DIMENSIONS),
    },
  };
  read.assertNoProblems();
  return decoded;
}

function readEmbedInputs(read: FieldReader, limits: InputLimits): readonly TextInput[] {
  const value = read.fields["inputs"];
  if (!Array.isArray(value)) {
    return [{ text: readText(read, "inputs", value, limits), pair: undefined }];
  }
  if (isIds(value) || value.some(isIds)) {
    read.report("inputs", "holds lists of ids, which cannot be sent; send texts");
    return [];
  }
  return readEntries(read, "inputs", value, limits.maxTextsPerRequest).map((text, index) => ({
    text: readText(read, `inputs[${index}]`, text, limits),
    pair: undefined,
  }));
}

function isIds(value: unknown): boolean {
  return Array.isArray(value) && typeof value[0] === "number";
}

/** A package says nothing about prompts, so none is known. */
export function refusePrompt(read: FieldReader): void {
  const { field, value } = findOption(read, "prompt_name");
  if (value === undefined) return;
  read.report(field, "names a prompt, and this model has none; put the prompt before the text");
}
