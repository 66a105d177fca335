import type { ActivationHistogram } from "./activation-histogram.ts";
import type { ValueRange } from "./affine-scale.ts";
import type { BinRange } from "./search-range.ts";
import { forEachBin, searchRange } from "./search-range.ts";

const LEVELS = 256;

/**
 * The range whose 256 levels lose least information: the smallest Kullback–Leibler divergence between the values,
 * clipped to the range, and what the levels can tell of them. The method of TensorRT (Migacz, "8-bit Inference with
 * TensorRT", GTC 2017), with two ends of their own instead of one magnitude, as fits unsigned bytes with a zero point.
 */
export function searchEntropyRange(histogram: ActivationHistogram): ValueRange {
  return searchRange(histogram, LEVELS, (range) => computeDivergence(histogram, range));
}

/**
 * KL(P ‖ Q) in nats. P: the histogram within the range, what lies outside counted into the outermost bins. Q: the same
 * bins without the outside, where all filled bins of one level share its count evenly. Infinite when P has something
 * where Q has nothing.
 */
export function computeDivergence(histogram: ActivationHistogram, range: BinRange): number {
  const bins = range.high - range.low;
  const reference = new Float64Array(bins);
  const inside = new Float64Array(bins);
  let insideTotal = 0;
  forEachBin(histogram, (distance, count) => {
    const at = Math.min(Math.max(distance - range.low, 0), bins - 1);
    reference[at] = (reference[at] as number) + count;
    if (at + range.low !== distance) return;
    inside[at] = count;
    insideTotal += count;
  });
  const merged = shareByLevel(inside, reference);
  let divergence = 0;
  for (let at = 0; at < bins; at++) {
    const p = (reference[at] as number) / histogram.total;
    if (p === 0) continue;
    const q = (merged[at] as number) / insideTotal;
    if (q === 0) return Number.POSITIVE_INFINITY;
    divergence += p * Math.log(p / q);
  }
  return divergence;
}

/** Spreads the count of every level over those of its bins that the reference fills. */
function shareByLevel(inside: Float64Array, reference: Float64Array): Float64Array {
  const shared = new Float64Array(inside.length);
  for (let level = 0; level < LEVELS; level++) {
    const from = Math.floor((level * inside.length) / LEVELS);
    const to = Math.floor(((level + 1) * inside.length) / LEVELS);
    let sum = 0;
    let filled = 0;
    for (let at = from; at < to; at++) {
      sum += inside[at] as number;
      if ((reference[at] as number) > 0) filled++;
    }
    for (let at = from; at < to; at++) {
      if ((reference[at] as number) > 0) shared[at] = sum / filled;
    }
  }
  return shared;
}
