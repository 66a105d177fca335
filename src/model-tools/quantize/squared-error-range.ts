import type { ActivationHistogram } from "./activation-histogram.ts";
import type { ValueRange } from "./affine-scale.ts";
import { roundTrip, toAffineScale } from "./affine-scale.ts";
import type { BinRange } from "./search-range.ts";
import { forEachBin, searchRange } from "./search-range.ts";

/** Fewer bins than levels would be guesswork. */
const LEAST_BINS = 256;

/** The range with the smallest mean squared difference between values and their bytes, rounding and clipping together. */
export function searchSquaredErrorRange(histogram: ActivationHistogram): ValueRange {
  return searchRange(histogram, LEAST_BINS, (range) => computeSquaredError(histogram, range));
}

/** In squared bins, summed over all values; every value counts as the middle of its bin. */
export function computeSquaredError(histogram: ActivationHistogram, range: BinRange): number {
  const scale = toAffineScale(range);
  let sum = 0;
  forEachBin(histogram, (distance, count) => {
    const middle = distance + 0.5;
    const error = middle - roundTrip(middle, scale);
    sum += count * error * error;
  });
  return sum;
}
