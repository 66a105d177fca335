import type { InferenceResult } from "../../core/inference/result.ts";
import { formatScore } from "../decimal.ts";
import { requireAnswers, requireVector } from "../require-answers.ts";
import { cosineOf } from "../shape-vector.ts";
import type { Truncation } from "./truncation.ts";
import { assertFits } from "./truncation.ts";

/**
 * Body of the answer of `POST /similarity`: one number from -1 to 1 per sentence, in order. `result` holds the text
 * that they are compared with first.
 *
 * @throws SluiceError as `encodePredict`
 */
export function encodeSimilarity(result: InferenceResult, request: Truncation): string {
  assertFits(result, request, "texts");
  const [source, ...sentences] = requireAnswers(result, "texts").map((item, index) =>
    requireVector(item, `texts[${index}]`),
  );
  if (source === undefined) return "[]";
  return `[${sentences.map((vector) => formatScore(cosineOf(source, vector))).join()}]`;
}
