import type { InputLimits } from "../native/field-reader.ts";
import { FieldReader } from "../native/field-reader.ts";
import type { DecodedTexts } from "./decode-predict.ts";
import { NO_CHOICES, readEntries, readFlag, readModel, readText } from "./read-fields.ts";
import type { Truncation } from "./truncation.ts";
import { readTruncation } from "./truncation.ts";

/** The body of `POST /rerank`, decoded: one pair of the query and a text per text. */
export interface DecodedRerank extends DecodedTexts, Truncation {
  /** Whether the answer repeats the texts. */
  readonly returnsText: boolean;
}

/**
 * Reads the parsed JSON body of `POST /rerank`, `{"query", "texts"}`. Scores are the model's outputs after the sigmoid
 * function, as in Text Embeddings Inference, or with `raw_scores` before it.
 *
 * @throws SluiceError `invalid_argument` with one detail per wrong field
 */
export function decodeRerank(body: unknown, limits: InputLimits): DecodedRerank {
  const read = new FieldReader(body);
  const query = readText(read, "query", read.fields["query"], limits);
  const texts = readEntries(read, "texts", read.fields["texts"], limits.maxTextsPerRequest);
  const decoded = {
    ...NO_CHOICES,
    ...readTruncation(read),
    model: readModel(read),
    inputs: texts.map((text, index) => ({
      text: query,
      pair: readText(read, `texts[${index}]`, text, limits),
    })),
    options: {
      topK: 0,
      functionToApply: readFlag(read, "raw_scores", false) ? "none" : "sigmoid",
      abstainBelow: 0,
    },
    returnsText: readFlag(read, "return_text", false),
  } as const;
  read.assertNoProblems();
  return decoded;
}
