import type { Interval } from "./intervals.ts";
import { computeWilsonInterval } from "./intervals.ts";

/** One judged text: what it is, and how likely the model holds each label. */
export interface ScoredExample {
  /** Index of the true label. */
  readonly label: number;
  /** One probability per label, summing to 1. */
  readonly probabilities: ArrayLike<number>;
}

/** How well a model does on a set of examples. All shares are 0 … 1. */
export interface ClassificationMetrics {
  readonly count: number;
  readonly accuracy: number;
  /** 95 %, Wilson. */
  readonly accuracyInterval: Interval;
  /** Mean of the recalls of the labels that occur: what chance cannot raise by guessing the frequent label. */
  readonly balancedAccuracy: number;
  /** 95 %, from the binomial variances of the recalls. */
  readonly balancedAccuracyInterval: Interval;
  /** Mean of F1 over the labels that occur or are predicted. */
  readonly macroF1: number;
  /** See {@link computeCalibrationError}. */
  readonly calibrationError: number;
  /** `confusion[true][predicted]`, counts. */
  readonly confusion: readonly (readonly number[])[];
}

const CALIBRATION_BINS = 15;

/** @param classes number of labels. */
export function computeClassificationMetrics(
  examples: readonly ScoredExample[],
  classes: number,
): ClassificationMetrics {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  let correct = 0;
  for (const { label, probabilities } of examples) {
    const predicted = findLargest(probabilities);
    if (predicted === label) correct++;
    const row = confusion[label];
    if (row !== undefined) row[predicted] = (row[predicted] ?? 0) + 1;
  }
  const balanced = computeBalancedAccuracy(confusion);
  return {
    count: examples.length,
    accuracy: examples.length === 0 ? 0 : correct / examples.length,
    accuracyInterval: computeWilsonInterval(correct, examples.length),
    ...balanced,
    macroF1: computeMacroF1(confusion),
    calibrationError: computeCalibrationError(examples),
    confusion,
  };
}

/** Index of the largest value; the first of several. */
export function findLargest(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  }
  return best;
}

/**
 * Expected calibration error: the mean distance between confidence (probability of the predicted label) and accuracy,
 * over 15 equally wide bins weighted by their size (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017).
 */
export function computeCalibrationError(examples: readonly ScoredExample[]): number {
  // Per bin the sum of (confidence − correct): its magnitude is size × distance already.
  const gaps = new Float64Array(CALIBRATION_BINS);
  for (const { label, probabilities } of examples) {
    const predicted = findLargest(probabilities);
    const confidence = probabilities[predicted] ?? 0;
    const bin = Math.min(Math.floor(confidence * CALIBRATION_BINS), CALIBRATION_BINS - 1);
    gaps[bin] = (gaps[bin] ?? 0) + confidence - (predicted === label ? 1 : 0);
  }
  const total = gaps.reduce((sum, gap) => sum + Math.abs(gap), 0);
  return examples.length === 0 ? 0 : total / examples.length;
}

function computeBalancedAccuracy(confusion: readonly (readonly number[])[]) {
  const recalls: number[] = [];
  let variance = 0;
  confusion.forEach((row, label) => {
    const size = row.reduce((sum, count) => sum + count, 0);
    if (size === 0) return;
    const recall = (row[label] ?? 0) / size;
    recalls.push(recall);
    variance += (recall * (1 - recall)) / size;
  });
  const present = Math.max(recalls.length, 1);
  const balancedAccuracy = recalls.reduce((sum, recall) => sum + recall, 0) / present;
  const halfWidth = (1.96 * Math.sqrt(variance)) / present;
  return {
    balancedAccuracy,
    balancedAccuracyInterval: {
      low: Math.max(0, balancedAccuracy - halfWidth),
      high: Math.min(1, balancedAccuracy + halfWidth),
    },
  };
}

function computeMacroF1(confusion: readonly (readonly number[])[]): number {
  const scores: number[] = [];
  confusion.forEach((row, label) => {
    const actual = row.reduce((sum, count) => sum + count, 0);
    const predicted = confusion.reduce((sum, other) => sum + (other[label] ?? 0), 0);
    if (actual + predicted > 0) scores.push((2 * (row[label] ?? 0)) / (actual + predicted));
  });
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(scores.length, 1);
}
