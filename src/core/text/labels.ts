/** How scores relate to labels: exactly one is true, each may be true, or they are measurements. */
export const PROBLEM_TYPES = [
  "single_label_classification",
  "multi_label_classification",
  "regression",
] as const;
export type ProblemType = (typeof PROBLEM_TYPES)[number];

/** Turns raw model outputs into scores. Names as in the Hugging Face task API. */
export const ACTIVATION_FUNCTIONS = ["softmax", "sigmoid", "none"] as const;
export type ActivationFunction = (typeof ACTIVATION_FUNCTIONS)[number];

/** A label and its score: 0..1 after softmax or sigmoid, any number after `none`. */
export interface RankedLabel {
  readonly label: string;
  readonly score: number;
}

/** The function that a model's problem type implies. */
export function defaultActivation(problemType: ProblemType): ActivationFunction {
  if (problemType === "regression") return "none";
  return problemType === "multi_label_classification" ? "sigmoid" : "softmax";
}

/** How many labels a model returns when the caller does not say; 0 = all. */
export function defaultTopK(problemType: ProblemType): number {
  return problemType === "single_label_classification" ? 1 : 0;
}

/** Applies `activation` to one row of logits. Returns a new array; softmax is shifted by the maximum to stay finite. */
export function applyActivation(
  logits: Float32Array,
  activation: ActivationFunction,
): Float32Array {
  if (activation === "none") return logits.slice();
  if (activation === "sigmoid") return logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > max) max = logit;
  const scores = new Float32Array(logits.length);
  let sum = 0;
  for (const [index, logit] of logits.entries()) {
    const exponential = Math.exp(logit - max);
    scores[index] = exponential;
    sum += exponential;
  }
  for (const [index, score] of scores.entries()) scores[index] = score / sum;
  return scores;
}

/**
 * The `topK` best labels (0 = all), best first; equal scores keep the model's label order.
 *
 * @param scores one score per label, same order as `labels`
 */
export function rankLabels(
  scores: Float32Array,
  labels: readonly string[],
  topK: number,
): readonly RankedLabel[] {
  if (topK === 1) return [bestLabel(scores, labels)];
  const ranked = labels.map((label, index) => ({ label, score: scores[index] ?? 0 }));
  ranked.sort((a, b) => b.score - a.score);
  return topK === 0 ? ranked : ranked.slice(0, topK);
}

function bestLabel(scores: Float32Array, labels: readonly string[]): RankedLabel {
  let best = 0;
  for (let i = 1; i < labels.length; i++) {
    if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i;
  }
  return { label: labels[best] ?? "", score: scores[best] ?? 0 };
}
