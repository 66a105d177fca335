import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader, nameOf } from "../native/field-reader.ts";
import { refusePrompt } from "./decode-embed.ts";
import type { DecodedTexts } from "./decode-predict.ts";
import { assertParameters, NO_CHOICES, readEntries, readModel, readText } from "./read-fields.ts";
import type { Truncation } from "./truncation.ts";
import { readTruncation } from "./truncation.ts";

/** The body of `POST /similarity`, decoded. The first of `inputs` is the text that all others are compared with. */
export interface DecodedSimilarity extends DecodedTexts, Truncation {}

/**
 * Reads the parsed JSON body of `POST /similarity`, `{"inputs": {"source_sentence", "sentences"}}`.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeSimilarity(body: unknown, limits: InputLimits): DecodedSimilarity {
  const read = new FieldReader(body);
  const { source, sentences } = readSentences(read);
  // The first text is one of the request's, too.
  const max = Math.max(1, limits.maxTextsPerRequest - 1);
  const texts = [
    readText(read, "inputs.source_sentence", source, limits),
    ...readEntries(read, "inputs.sentences", sentences, max).map((text, index) =>
      readText(read, `inputs.sentences[${index}]`, text, limits),
    ),
  ];
  assertParameters(read);
  refusePrompt(read);
  const decoded = {
    ...NO_CHOICES,
    ...readTruncation(read),
    model: readModel(read),
    inputs: texts.map((text) => ({ text, pair: undefined })),
  };
  read.assertNoProblems();
  return decoded;
}

function readSentences(read: FieldReader): {
  readonly source: unknown;
  readonly sentences: unknown;
} {
  const inputs = read.fields["inputs"];
  if (typeof inputs === "object" && inputs !== null && !Array.isArray(inputs)) {
    const fields = inputs as Readonly<Record<string, unknown>>;
    return { source: fields["source_sentence"], sentences: fields["sentences"] };
  }
  const form = "must be an object of source_sentence and sentences";
  read.report("inputs", `${form}; found ${nameOf(inputs)}`);
  read.assertNoProblems();
  return { source: undefined, sentences: undefined };
}
