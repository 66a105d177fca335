import type { Lane } from "../../core/inference/lanes.ts";
import type { InferenceOptions, TextInput } from "../../core/inference/request.ts";
import { MODEL_DEFAULTS } from "../../core/inference/request.ts";
import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader, nameOf } from "../native/field-reader.ts";
import type { VectorShape } from "../shape-vector.ts";
import { readModel, readTextList } from "./read-input.ts";

/** The body of `POST /v1/embeddings`, decoded. */
export interface DecodedEmbeddings {
  /** `undefined` = whichever model suits. */
  readonly model: string | undefined;
  readonly version: undefined;
  readonly inputs: readonly TextInput[];
  readonly options: InferenceOptions;
  readonly lane: Lane;
  /** Vectors of this dialect have length 1. */
  readonly shape: VectorShape;
  /** How vectors are written: as numbers, or as the bytes of little-endian 32-bit floats in Base64. */
  readonly encoding: "float" | "base64";
}

const MAX_DIMENSIONS = 1_000_000;

/**
 * Reads the parsed JSON body of `POST /v1/embeddings`: `input` is a text or a list of texts. Lists of ids, which callers
 * make with a tokenizer of their own, are refused: they mean nothing to this model.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeEmbeddings(body: unknown, limits: InputLimits): DecodedEmbeddings {
  const read = new FieldReader(body);
  const texts = readTexts(read, limits);
  const model = readModel(read);
  const encoding = readEncoding(read);
  const dimensions = readDimensions(read);
  read.assertNoProblems();
  return {
    model,
    version: undefined,
    inputs: texts.map((text) => ({ text, pair: undefined })),
    options: MODEL_DEFAULTS,
    lane: "online",
    shape: { normalize: true, dimensions },
    encoding,
  };
}

function readTexts(read: FieldReader, limits: InputLimits): readonly string[] {
  const { input } = read.fields;
  const [first] = Array.isArray(input) ? (input as readonly unknown[]) : [];
  if (typeof first === "number" || Array.isArray(first)) {
    read.report(
      "input",
      "holds ids of another tokenizer, which this model does not know; send texts",
    );
    return [];
  }
  return readTextList(read, input, limits);
}

function readEncoding(read: FieldReader): "float" | "base64" {
  const value = read.fields["encoding_format"] ?? "float";
  if (value === "float" || value === "base64") return value;
  read.report("encoding_format", `must be one of float, base64; found ${nameOf(value)}`);
  return "float";
}

function readDimensions(read: FieldReader): number | undefined {
  const value = read.fields["dimensions"] ?? undefined;
  if (value === undefined) return undefined;
  const count = Number.isSafeInteger(value) ? Number(value) : 0;
  if (count >= 1 && count <= MAX_DIMENSIONS) return count;
  const rule = `must be a whole number from 1 to ${MAX_DIMENSIONS}`;
  read.report("dimensions", `${rule}; found ${nameOf(value)}`);
  return undefined;
}
