import type { LatencySketch } from "./latency-sketch.ts";
import {
  countLatencies,
  findBucketAtRank,
  latencyBoundsOf,
  readLatencyQuantile,
} from "./latency-sketch.ts";
import { binomialCumulative } from "./special-functions.ts";

export interface QuantileInterval {
  /** Null for an empty sketch. */
  readonly estimateMs: number | null;
  /** 0 where the sample is too small to exclude anything. */
  readonly lowerMs: number;
  /** Infinity where the sample is too small. */
  readonly upperMs: number;
}

export interface RankInterval {
  /** From 1; 0 = there is no lower end. */
  readonly lower: number;
  /** Up to n; n + 1 = there is no upper end. */
  readonly upper: number;
}

/**
 * Ranks between which a quantile lies with chance 1 − α, whatever the distribution: how many of n values lie below the
 * quantile is binomial (David, Nagaraja, "Order Statistics", 3rd ed. 2003, section 7.1). Exact, not approximated.
 */
export function toQuantileRanks(n: number, quantile: number, alpha: number): RankInterval {
  // Largest rank l with P(X ≤ l − 1) ≤ α/2.
  let lower = 0;
  let outside = n + 1;
  while (outside - lower > 1) {
    const middle = Math.floor((lower + outside) / 2);
    if (binomialCumulative(middle - 1, n, quantile) <= alpha / 2) lower = middle;
    else outside = middle;
  }
  // Smallest rank u with P(X ≥ u) ≤ α/2.
  let below = 0;
  let upper = n + 1;
  while (upper - below > 1) {
    const middle = Math.floor((below + upper) / 2);
    if (binomialCumulative(n - middle, n, 1 - quantile) <= alpha / 2) upper = middle;
    else below = middle;
  }
  return { lower, upper };
}

/** A quantile of latencies with its interval, which is as much wider as the sketch is inexact. */
export function readQuantileInterval(
  sketch: LatencySketch,
  quantile: number,
  alpha: number,
): QuantileInterval {
  const ranks = toQuantileRanks(countLatencies(sketch), quantile, alpha);
  const lower = findBucketAtRank(sketch, ranks.lower);
  const upper = findBucketAtRank(sketch, ranks.upper);
  return {
    estimateMs: readLatencyQuantile(sketch, quantile),
    lowerMs: lower === null ? 0 : latencyBoundsOf(lower).above,
    upperMs: upper === null ? Number.POSITIVE_INFINITY : latencyBoundsOf(upper).upTo,
  };
}

export interface QuantileRatio {
  /** Quantile of the second over that of the first; null while either is unknown. */
  readonly estimate: number | null;
  readonly lower: number;
  readonly upper: number;
}

/** How many times longer the second one's quantile is, with an interval that misses with chance `alpha` at most. */
export function compareQuantiles(
  first: LatencySketch,
  second: LatencySketch,
  quantile: number,
  alpha: number,
): QuantileRatio {
  // Either interval may miss: half of alpha each.
  const one = readQuantileInterval(first, quantile, alpha / 2);
  const other = readQuantileInterval(second, quantile, alpha / 2);
  const isKnown = one.estimateMs !== null && other.estimateMs !== null;
  return {
    estimate: isKnown ? (other.estimateMs ?? 0) / (one.estimateMs ?? 1) : null,
    lower: other.lowerMs / one.upperMs,
    upper: one.lowerMs > 0 ? other.upperMs / one.lowerMs : Number.POSITIVE_INFINITY,
  };
}
