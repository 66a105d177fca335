import type { InferenceResult } from "../../core/inference/result.ts";
import { formatScore } from "../decimal.ts";
import { requireAnswers, requireLabels } from "../require-answers.ts";
import type { DecodedRerank } from "./decode-rerank.ts";
import { assertFits } from "./truncation.ts";

/**
 * Body of the answer of `POST /rerank`: `[{"index", "text"?, "score"}]`, best first, texts of equal score in the order
 * of the request.
 *
 * @throws SluiceError as `encodePredict`
 */
export function encodeRerank(result: InferenceResult, request: DecodedRerank): string {
  assertFits(result, request, "texts");
  const ranks = requireAnswers(result, "texts").map((item, index) => ({
    index,
    score: requireLabels(item, `texts[${index}]`, 1)[0]?.score ?? 0,
  }));
  ranks.sort((a, b) => b.score - a.score);
  const encoded = ranks.map(({ index, score }) => {
    const text = request.returnsText
      ? `"text":${JSON.stringify(request.inputs[index]?.pair ?? "")},`
      : "";
    return `{"index":${index},${text}"score":${formatScore(score)}}`;
  });
  return `[${encoded.join()}]`;
}
