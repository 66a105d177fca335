import { SluiceError } from "../../core/errors.ts";

/** How the values of one tensor are distributed: counts in equally wide bins on both sides of zero. */
export interface ActivationHistogram {
  /** A power of two. Bin `i` holds values in `[(i - BINS_PER_SIDE) * binWidth, + binWidth)`; zero is an edge. */
  readonly binWidth: number;
  /** `2 * BINS_PER_SIDE` counts. */
  readonly counts: Float64Array;
  /** Smallest and largest value seen, exactly. Infinity and -Infinity when nothing was seen. */
  readonly min: number;
  readonly max: number;
  /** Number of values seen. */
  readonly total: number;
}

/** Takes values in and knows their distribution so far; its size never grows. */
export interface HistogramCollector {
  /** @throws SluiceError `invalid_argument` when a value is not a finite number. */
  add(values: Float32Array): void;
  /** What was seen until now. The counts are a copy. */
  read(): ActivationHistogram;
}

/** At least half of the bins of the longer side are in use, so 256 levels rest on 2,048 bins or more. */
export const BINS_PER_SIDE = 4096;

/** Width of a bin before anything was seen; anything below it counts as zero. */
const FIRST_BIN_WIDTH = 2 ** -40;

/**
 * Creates a collector. A value outside of the bins doubles their width, neighbours joining in pairs. Widths are powers of
 * two and zero is an edge, so the result depends on the values alone, not on their order or on how they were cut into
 * calls.
 */
export function createHistogramCollector(): HistogramCollector {
  let counts: Float64Array = new Float64Array(2 * BINS_PER_SIDE);
  let binWidth = FIRST_BIN_WIDTH;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let total = 0;

  const widenTo = (smallest: number, largest: number) => {
    while (smallest < -BINS_PER_SIDE * binWidth || largest >= BINS_PER_SIDE * binWidth) {
      counts = joinPairs(counts);
      binWidth *= 2;
    }
  };

  return {
    add: (values) => {
      const { smallest, largest } = findExtremes(values);
      widenTo(smallest, largest);
      const perWidth = 1 / binWidth;
      for (let i = 0; i < values.length; i++) {
        const bin = Math.floor((values[i] as number) * perWidth) + BINS_PER_SIDE;
        counts[bin] = (counts[bin] as number) + 1;
      }
      min = Math.min(min, smallest);
      max = Math.max(max, largest);
      total += values.length;
    },
    read: () => ({ binWidth, counts: counts.slice(), min, max, total }),
  };
}

function findExtremes(values: Float32Array): { smallest: number; largest: number } {
  let smallest = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < smallest) smallest = value;
    if (value > largest) largest = value;
    if (!Number.isFinite(value)) {
      throw new SluiceError(
        "invalid_argument",
        "The model computes values that are no finite numbers on the calibration texts.",
      );
    }
  }
  return { smallest, largest };
}

function joinPairs(counts: Float64Array): Float64Array {
  const joined = new Float64Array(counts.length);
  for (let bin = 0; bin < counts.length; bin++) {
    // Distances from zero halve; floor keeps the negative side on its own edge.
    const to = Math.floor((bin - BINS_PER_SIDE) / 2) + BINS_PER_SIDE;
    joined[to] = (joined[to] as number) + (counts[bin] as number);
  }
  return joined;
}
