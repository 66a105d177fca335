/** A range of shares, both ends 0 … 1. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % of the normal distribution. */
const Z_95 = 1.959964;

/**
 * The 95 % confidence interval of a share (Wilson, "Probable inference, the law of succession, and statistical
 * inference", JASA 1927). Sensible for small counts and near 0 and 1, where the textbook interval is not.
 *
 * @returns 0 … 1 when nothing was counted.
 */
export function computeWilsonInterval(successes: number, count: number): Interval {
  if (count === 0) return { low: 0, high: 1 };
  const share = successes / count;
  const spread = Z_95 ** 2 / count;
  const center = (share + spread / 2) / (1 + spread);
  const halfWidth =
    (Z_95 * Math.sqrt((share * (1 - share)) / count + spread / (4 * count))) / (1 + spread);
  return { low: Math.max(0, center - halfWidth), high: Math.min(1, center + halfWidth) };
}
