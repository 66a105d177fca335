import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader } from "../native/field-reader.ts";
import { readEntries, readFlag, readModel, readText } from "./read-fields.ts";

/** The body of `POST /tokenize`, decoded. */
export interface DecodedTokenize {
  /** `undefined` = whichever model suits. */
  readonly model: string | undefined;
  readonly texts: readonly string[];
  /** Whether the answer has the tokens that stand around a text. */
  readonly addsSpecial: boolean;
}

/**
 * Reads the parsed JSON body of `POST /tokenize`: `inputs` is a text or a list of texts.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeTokenize(body: unknown, limits: InputLimits): DecodedTokenize {
  const read = new FieldReader(body);
  const { inputs } = read.fields;
  const texts = Array.isArray(inputs)
    ? readEntries(read, "inputs", inputs, limits.maxTextsPerRequest).map((text, index) =>
        readText(read, `inputs[${index}]`, text, limits),
      )
    : [readText(read, "inputs", inputs, limits)];
  const decoded = {
    model: readModel(read),
    texts,
    addsSpecial: readFlag(read, "add_special_tokens", true),
  };
  read.assertNoProblems();
  return decoded;
}
