import { findLargest } from "../evaluate/classification-metrics.ts";
import { softmaxInPlace } from "../train/softmax.ts";
import type { AnswerKind } from "./model-answers.ts";

/** How far a model's answers are from those of the float model. */
export interface AnswerComparison {
  /** Share of texts with the same label (with several labels: with all the same). Undefined for features. */
  readonly agreement: number | undefined;
  /** Absolute difference of scores, mean over texts and labels; for features 1 − cosine similarity, mean over texts. */
  readonly meanDrift: number;
  /** The largest of them. */
  readonly maxDrift: number;
}

/** @param reference the float model's answers to the same texts, in the same order. */
export function compareAnswers(
  reference: readonly Float32Array[],
  answers: readonly Float32Array[],
  kind: AnswerKind,
): AnswerComparison {
  const drifts = answers.map((answer, i) =>
    kind === "features"
      ? [1 - computeCosine(answer, reference[i] ?? answer)]
      : subtract(toScores(answer, kind), toScores(reference[i] ?? answer, kind)),
  );
  const all = drifts.flat().map(Math.abs);
  const equal = answers.filter((answer, i) => hasSameLabels(answer, reference[i], kind)).length;
  return {
    agreement: kind === "features" ? undefined : equal / Math.max(answers.length, 1),
    meanDrift: all.reduce((sum, drift) => sum + drift, 0) / Math.max(all.length, 1),
    maxDrift: all.reduce((largest, drift) => Math.max(largest, drift), 0),
  };
}

/** Probabilities: softmax where one label is true, the logistic function where each may be. */
export function toScores(logits: Float32Array, kind: AnswerKind): Float64Array {
  const scores = Float64Array.from(logits);
  if (kind === "multi-label") return scores.map((logit) => 1 / (1 + Math.exp(-logit)));
  softmaxInPlace(scores);
  return scores;
}

function hasSameLabels(
  answer: Float32Array,
  reference: Float32Array | undefined,
  kind: AnswerKind,
): boolean {
  if (reference === undefined) return false;
  if (kind === "multi-label")
    return answer.every((logit, i) => logit > 0 === (reference[i] ?? 0) > 0);
  return findLargest(answer) === findLargest(reference);
}

function subtract(scores: Float64Array, reference: Float64Array): number[] {
  return Array.from(scores, (score, i) => score - (reference[i] as number));
}

/** 1 for vectors of the same direction; 0 when one of them is zero. */
function computeCosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (let i = 0; i < a.length; i++) {
    dot += (a[i] as number) * (b[i] as number);
    squaresA += (a[i] as number) ** 2;
    squaresB += (b[i] as number) ** 2;
  }
  return squaresA === 0 || squaresB === 0 ? 0 : dot / Math.sqrt(squaresA * squaresB);
}
