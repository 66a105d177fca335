import type { Combination } from "./graph.ts";

/** What one model says about one text. */
export interface Opinion {
  readonly labels: readonly string[];
  /** 0..1, one per label and in the same order. */
  readonly scores: Float32Array;
}

/** An opinion and how much it counts. */
export interface WeightedOpinion extends Opinion {
  /** Above 0. */
  readonly weight: number;
}

/**
 * Makes one opinion of several. Pure.
 *
 * `average` is the weighted arithmetic mean of each label's scores, also called linear opinion pool (Stone 1961): the sum of weight
 * times score, divided by the sum of weights. `vote` gives each member's weight to its best label and divides by the sum of
 * weights. Either way the scores of a single-label ensemble add up to 1 if those of its members do. Of equal best scores the label
 * that is first in alphabetical order gets a vote, so that the order of labels in a model has no say.
 *
 * @param opinions at least one
 * @returns scores in the order of the first opinion's labels; `undefined` when the labels of the opinions are not the same set
 */
export function blendScores(
  opinions: readonly WeightedOpinion[],
  combine: Combination,
): Opinion | undefined {
  const [first] = opinions;
  if (first === undefined) return undefined;
  const { labels } = first;
  const sums = new Float64Array(labels.length);
  let weights = 0;
  for (const opinion of opinions) {
    if (!haveSameLabels(labels, opinion.labels)) return undefined;
    weights += opinion.weight;
    const best = combine === "vote" ? bestOf(opinion)?.label : undefined;
    for (const [at, label] of labels.entries()) {
      const score = combine === "vote" ? Number(label === best) : scoreOf(opinion, label);
      sums[at] = (sums[at] ?? 0) + opinion.weight * score;
    }
  }
  return { labels, scores: Float32Array.from(sums, (sum) => sum / weights) };
}

/** Whether both hold the same labels, in any order. Labels of one model are all different. */
export function haveSameLabels(some: readonly string[], others: readonly string[]): boolean {
  return some === others || (some.length === others.length && isSubset(some, others));
}

function isSubset(some: readonly string[], others: readonly string[]): boolean {
  const known = new Set(others);
  return some.every((label) => known.has(label));
}

/** The label with the highest score; `undefined` without labels. */
export function bestOf({
  labels,
  scores,
}: Opinion): { readonly label: string; readonly score: number } | undefined {
  let best: { label: string; score: number } | undefined;
  for (const [at, label] of labels.entries()) {
    const score = scores[at] ?? 0;
    const isBetter =
      best === undefined || score > best.score || (score === best.score && label < best.label);
    if (isBetter) best = { label, score };
  }
  return best;
}

/** Below this a score is taken for this, because the logarithm of 0 is no number that can be sent. */
const LEAST_SCORE = 1e-12;

/**
 * The outputs of a model that would have given these scores: `softmax` of logarithms, and `sigmoid` of log-odds, are the scores
 * themselves. With them an ensemble is like any model to everything that reads outputs.
 */
export function toLogits(scores: Float32Array, isMultiLabel: boolean): Float32Array {
  return scores.map((score) => {
    const log = Math.log(Math.max(score, LEAST_SCORE));
    return isMultiLabel ? log - Math.log(Math.max(1 - score, LEAST_SCORE)) : log;
  });
}

function scoreOf({ labels, scores }: Opinion, label: string): number {
  return scores[labels.indexOf(label)] ?? 0;
}
