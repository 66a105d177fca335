import type { TextInput } from "../../core/inference/request.ts";
import type { DecodedOptions, InputLimits } from "./field-reader.ts";
import { FieldReader, nameOf, OPTION_FIELDS } from "./field-reader.ts";

/** The body of `POST /classify`, decoded. */
export interface DecodedClassify extends DecodedOptions {
  readonly inputs: readonly TextInput[];
  /** True for the form `{texts: […]}`, which is answered with `results`. */
  readonly isBatch: boolean;
}

const FIELDS = ["text", "pair", "texts", ...OPTION_FIELDS];

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
  read.refuseUnknown(FIELDS);
  read.assertNoProblems();
  return { ...options, inputs, isBatch };
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
