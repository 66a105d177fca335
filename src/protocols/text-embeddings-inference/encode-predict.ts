import type { InferenceResult } from "../../core/inference/result.ts";
import type { RankedLabel } from "../../core/text/labels.ts";
import { formatScore } from "../decimal.ts";
import { requireAnswers, requireLabels } from "../require-answers.ts";
import type { DecodedPredict } from "./decode-predict.ts";
import { assertFits } from "./truncation.ts";

/**
 * Body of the answer of `POST /predict`: the labels of a text, best first, as `[{"score", "label"}]`, or one such list
 * per text.
 *
 * @throws SluiceError of the first text that failed, naming it; `invalid_argument` when a text had to fit and does not
 */
export function encodePredict(result: InferenceResult, request: DecodedPredict): string {
  assertFits(result, request, "inputs");
  const answers = requireAnswers(result, "inputs").map((item, index) =>
    encodeLabels(requireLabels(item, `inputs[${index}]`, request.options.topK ?? 0)),
  );
  return request.isNested ? `[${answers.join()}]` : (answers[0] ?? "[]");
}

function encodeLabels(labels: readonly RankedLabel[]): string {
  const encoded = labels.map(
    ({ label, score }) => `{"score":${formatScore(score)},"label":${JSON.stringify(label)}}`,
  );
  return `[${encoded.join()}]`;
}
