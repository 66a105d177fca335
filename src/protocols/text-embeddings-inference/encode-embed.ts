import type { InferenceResult } from "../../core/inference/result.ts";
import { requireAnswers, requireVector } from "../require-answers.ts";
import { shapeVector } from "../shape-vector.ts";
import type { DecodedEmbed } from "./decode-embed.ts";
import { assertFits } from "./truncation.ts";

/**
 * Body of the answer of `POST /embed`: a list of vectors, also for one text.
 *
 * @throws SluiceError as `encodePredict`; `invalid_argument` when the vectors are shorter than the caller wants them
 */
export function encodeEmbed(result: InferenceResult, request: DecodedEmbed): string {
  assertFits(result, request, "inputs");
  const vectors = requireAnswers(result, "inputs").map((item, index) => {
    const values = requireVector(item, `inputs[${index}]`);
    return JSON.stringify(Array.from(shapeVector(values, request.shape)));
  });
  return `[${vectors.join()}]`;
}
