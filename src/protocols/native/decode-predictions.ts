import type { TextInput } from "../../core/inference/request.ts";
import type { DecodedOptions, InputLimits } from "./field-reader.ts";
import { FieldReader, nameOf, OPTION_FIELDS } from "./field-reader.ts";

/** The body of `POST /v1/predictions`, decoded. */
export interface DecodedPredictions extends DecodedOptions {
  readonly inputs: readonly TextInput[];
}

const FIELDS = ["inputs", ...OPTION_FIELDS];
const PAIR_FIELDS = ["text", "pair"];

/**
 * Reads the parsed JSON body of `POST /v1/predictions`: `inputs` is a list whose entries are texts or
 * `{text, pair}`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodePredictions(body: unknown, limits: InputLimits): DecodedPredictions {
  const read = new FieldReader(body);
  const inputs = decodeInputs(read, limits);
  const options = read.options();
  read.refuseUnknown(FIELDS);
  read.assertNoProblems();
  return { ...options, inputs };
}

function decodeInputs(read: FieldReader, limits: InputLimits): readonly TextInput[] {
  const value = read.fields["inputs"];
  const max = limits.maxTextsPerRequest;
  if (!Array.isArray(value) || value.length === 0 || value.length > max) {
    const found = Array.isArray(value) ? `a list of ${value.length}` : nameOf(value);
    read.report("inputs", `must be a list of 1 to ${max} texts or pairs; found ${found}`);
    return [];
  }
  return value.map((input: unknown, index) => decodeInput(read, `inputs[${index}]`, input));
}

function decodeInput(read: FieldReader, field: string, input: unknown): TextInput {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    return { text: read.text(field, input), pair: undefined };
  }
  const fields = input as Readonly<Record<string, unknown>>;
  for (const name in fields) {
    if (PAIR_FIELDS.includes(name) || read.isFull) continue;
    read.report(`${field}.${name.slice(0, 64)}`, "is not a field; known are text, pair");
  }
  return {
    text: read.text(`${field}.text`, fields["text"]),
    pair: read.optionalText(`${field}.pair`, fields["pair"]),
  };
}
