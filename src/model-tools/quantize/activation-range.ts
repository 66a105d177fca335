import { SluiceError } from "../../core/errors.ts";
import type { ActivationHistogram } from "./activation-histogram.ts";
import { BINS_PER_SIDE } from "./activation-histogram.ts";
import type { ValueRange } from "./affine-scale.ts";
import { searchEntropyRange } from "./entropy-range.ts";
import { searchSquaredErrorRange } from "./squared-error-range.ts";

/** The ways to choose a range; see {@link decideActivationRange}. */
export const CALIBRATION_METHODS = ["min-max", "percentile", "entropy", "squared-error"] as const;

export type CalibrationMethod = (typeof CALIBRATION_METHODS)[number];

/** Percent of the values that the method `percentile` keeps when nothing else is said. */
export const DEFAULT_PERCENTILE = 99.99;

/**
 * Chooses the range that 256 levels are spread over. What lies outside is clipped; a narrower range makes finer levels.
 *
 * - `min-max`: everything that was seen.
 * - `percentile`: without the outermost (100 − percentile) / 2 percent at each end.
 * - `entropy`: loses least information ({@link searchEntropyRange}).
 * - `squared-error`: smallest mean squared difference ({@link searchSquaredErrorRange}).
 *
 * @throws SluiceError `invalid_argument` when no value was seen.
 */
export function decideActivationRange(
  histogram: ActivationHistogram,
  method: CalibrationMethod,
  percentile: number = DEFAULT_PERCENTILE,
): ValueRange {
  if (histogram.total === 0) {
    throw new SluiceError("invalid_argument", "No values were seen, so no range can be chosen.");
  }
  switch (method) {
    case "min-max":
      return toFullRange(histogram);
    case "percentile":
      return toPercentileRange(histogram, percentile);
    case "entropy":
      return searchEntropyRange(histogram);
    case "squared-error":
      return searchSquaredErrorRange(histogram);
  }
}

/** From the smallest value to the largest, and to zero. */
export function toFullRange({ min, max }: ActivationHistogram): ValueRange {
  return { low: Math.min(min, 0), high: Math.max(max, 0) };
}

function toPercentileRange(histogram: ActivationHistogram, percentile: number): ValueRange {
  const cut = ((100 - percentile) / 200) * histogram.total;
  const full = toFullRange(histogram);
  return {
    low: Math.min(Math.max(findQuantile(histogram, cut), full.low), 0),
    high: Math.max(Math.min(findQuantile(histogram, histogram.total - cut), full.high), 0),
  };
}

/** The value below which `rank` of the values lie, taking those of one bin as evenly spread. */
function findQuantile({ counts, binWidth, max }: ActivationHistogram, rank: number): number {
  let below = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] as number;
    if (count > 0 && below + count >= rank) {
      return (bin - BINS_PER_SIDE + Math.max(rank - below, 0) / count) * binWidth;
    }
    below += count;
  }
  return max;
}
