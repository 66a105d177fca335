import type { ExamplesWanted } from "../../core/collections/add-examples.ts";
import type { TextInput } from "../../core/inference/request.ts";
import { readName, readNeighbors } from "./collections/decode-collection.ts";
import type { DecodedOptions, InputLimits } from "./field-reader.ts";
import { FieldReader, nameOf, OPTION_FIELDS } from "./field-reader.ts";

/** The body of `POST /classify`, decoded. */
export interface DecodedClassify extends DecodedOptions {
  readonly inputs: readonly TextInput[];
  /** True for the form `{texts: […]}`, which is answered with `results`. */
  readonly isBatch: boolean;
  /** Undefined when nothing is asked about examples. */
  readonly examples: ExamplesWanted | undefined;
}

const EXAMPLE_FIELDS = ["neighbors", "collection", "examples_weight"];
const DEFAULT_NEIGHBORS = 5;

const FIELDS = ["text", "pair", "texts", ...OPTION_FIELDS, ...EXAMPLE_FIELDS];

/**
 * Reads the parsed JSON body of `POST /classify`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeClassify(body: unknown, limits: InputLimits): DecodedClassify {
  const read = new FieldReader(body);
  const isBatch = read.fields["texts"] !== undefined;
  const inputs = isBatch ? decodeTexts(read, limits) : [decodeText(read, limits)];
  const options = read.options();
  const examples = decodeExamples(read);
  read.refuseUnknown(FIELDS);
  read.assertNoProblems();
  return { ...options, inputs, isBatch, examples };
}

/** `neighbors`: how many; `collection`: of which; `examples_weight`: how much they count against the model. */
function decodeExamples(read: FieldReader): ExamplesWanted | undefined {
  const { fields } = read;
  if (EXAMPLE_FIELDS.every((field) => (fields[field] ?? null) === null)) return undefined;
  const { pair, function_to_apply: applied } = fields;
  const weight = fields["examples_weight"] ?? 0;
  const neighbors = readNeighbors(read) ?? DEFAULT_NEIGHBORS;
  if (pair !== undefined && pair !== null) read.report("pair", "cannot stand beside neighbors");
  if (typeof weight !== "number" || !(weight >= 0 && weight <= 1)) {
    read.report("examples_weight", `must be a number from 0 to 1; found ${nameOf(weight)}`);
    return undefined;
  }
  if (weight > 0 && applied === "none") {
    read.report("function_to_apply", "none gives no probabilities to weigh examples against");
  }
  return { collection: readName(read, "collection"), neighbors, weight };
}

function decodeText(read: FieldReader, limits: InputLimits): TextInput {
  return {
    text: read.text("text", read.fields["text"], limits),
    pair: read.optionalText("pair", read.fields["pair"], limits),
  };
}

function decodeTexts(read: FieldReader, limits: InputLimits): readonly TextInput[] {
  const value = read.fields["texts"];
  for (const field of ["text", "pair"]) {
    if (read.fields[field] === undefined) continue;
    read.report(field, "cannot stand beside texts; send one of the two");
  }
  const max = limits.maxTextsPerRequest;
  if (!Array.isArray(value) || value.length === 0 || value.length > max) {
    const found = Array.isArray(value) ? `a list of ${value.length}` : nameOf(value);
    read.report("texts", `must be a list of 1 to ${max} strings; found ${found}`);
    return [];
  }
  return value.map((text: unknown, index) => ({
    text: read.text(`texts[${index}]`, text),
    pair: undefined,
  }));
}
