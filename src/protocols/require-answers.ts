import { SluiceError } from "../core/errors.ts";
import type { InferenceResult, ItemResult } from "../core/inference/result.ts";
import type { RankedLabel } from "../core/text/labels.ts";
import { rankLabels } from "../core/text/labels.ts";

/** The answer for one text. */
export type AnsweredItem = ItemResult & { readonly ok: true };

/**
 * The answers of a request, for dialects that cannot say that one text of several failed: there the first failure fails
 * the request.
 *
 * @param field what the dialect calls the list of texts; the message names the text by its place in it
 * @throws SluiceError with the code of the first text that failed
 */
export function requireAnswers(result: InferenceResult, field: string): readonly AnsweredItem[] {
  return result.items.map((item, index) => {
    if (item.ok) return item;
    throw withPlace(item.error, result.items.length === 1 ? field : `${field}[${index}]`);
  });
}

/**
 * The labels of an answer with their scores, best first: all of them, also those that the model's package would not
 * report.
 *
 * @param topK how many; 0 = all
 * @throws SluiceError `invalid_argument` about `model` when it is a vector; `model_failed` when a score is no number
 */
export function requireLabels(
  { prediction }: AnsweredItem,
  place: string,
  topK: number,
): readonly RankedLabel[] {
  if (prediction.kind === "vector") throw wrongModel("makes vectors, not labels");
  const { labels, scores } = prediction.all;
  if (scores.every(Number.isFinite)) return rankLabels(scores, labels, topK);
  throw notFinite(place);
}

/**
 * The vector of an answer.
 *
 * @throws SluiceError `invalid_argument` about `model` when it is labels; `model_failed` when a value is no number
 */
export function requireVector({ prediction }: AnsweredItem, place: string): Float32Array {
  if (prediction.kind === "labels") throw wrongModel("makes labels, not vectors");
  if (prediction.values.every(Number.isFinite)) return prediction.values;
  throw notFinite(place);
}

function withPlace(error: SluiceError, place: string): SluiceError {
  const details = error.details.map(({ field, problem }) => ({
    field: field === "text" ? place : `${place}.${field}`,
    problem,
  }));
  const { retryAfterMs, cause } = error;
  return new SluiceError(error.code, `${place}: ${error.message}`, {
    details,
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

function wrongModel(makes: string): SluiceError {
  return new SluiceError("invalid_argument", `This model ${makes}; ask another one.`, {
    details: [{ field: "model", problem: makes }],
  });
}

function notFinite(place: string): SluiceError {
  return new SluiceError("model_failed", `${place}: the model's answer holds no finite numbers.`);
}
