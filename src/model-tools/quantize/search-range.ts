import type { ActivationHistogram } from "./activation-histogram.ts";
import { BINS_PER_SIDE } from "./activation-histogram.ts";
import type { ValueRange } from "./affine-scale.ts";

/** Edges of bins, counted from zero: `low` bins below it (0 or less), `high` above (0 or more). */
export interface BinRange {
  readonly low: number;
  readonly high: number;
}

/** Candidates per end and round. */
const STEPS = 64;
/** The ends move in turn; after two rounds they hardly do. */
const ROUNDS = 2;

/**
 * Looks for the range that costs least. Starts with everything that was seen, shrinks both ends together, then moves
 * the upper end and the lower one in turn, each time to the best of 64 even steps. The full range wins ties.
 *
 * @param leastBins ranges with fewer bins are not tried.
 * @param cost of a range, the lower the better.
 */
export function searchRange(
  histogram: ActivationHistogram,
  leastBins: number,
  cost: (range: BinRange) => number,
): ValueRange {
  const { binWidth, min, max } = histogram;
  const full: BinRange = {
    low: Math.min(Math.floor(min / binWidth), 0),
    high: Math.max(Math.floor(max / binWidth) + 1, 0),
  };
  let best = full;
  let bestCost = cost(full);
  const tryRange = (range: BinRange) => {
    if (range.high - range.low < leastBins) return;
    const found = cost(range);
    if (found < bestCost) {
      bestCost = found;
      best = range;
    }
  };
  for (let step = STEPS - 1; step > 0; step--) {
    const share = step / STEPS;
    tryRange({ low: Math.round(full.low * share), high: Math.round(full.high * share) });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const high of toSteps(full.high)) tryRange({ low: best.low, high });
    for (const low of toSteps(full.low)) tryRange({ low, high: best.high });
  }
  return {
    low: Math.max(best.low * binWidth, Math.min(min, 0)),
    high: Math.min(best.high * binWidth, Math.max(max, 0)),
  };
}

/** Whole numbers from `end` towards zero, without both. */
function toSteps(end: number): number[] {
  const steps: number[] = [];
  for (let step = STEPS - 1; step > 0; step--) {
    const at = Math.round((end * step) / STEPS);
    if (at !== 0 && at !== steps.at(-1) && at !== end) steps.push(at);
  }
  return steps;
}

/** Calls back with every bin that is not empty: its distance from zero in bins, and its count. */
export function forEachBin(
  { counts, binWidth, min, max }: ActivationHistogram,
  visit: (distance: number, count: number) => void,
): void {
  const last = Math.floor(max / binWidth);
  for (let distance = Math.floor(min / binWidth); distance <= last; distance++) {
    const count = counts[distance + BINS_PER_SIDE] as number;
    if (count > 0) visit(distance, count);
  }
}
