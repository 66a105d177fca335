export interface SampleDistance {
  /** Largest difference of the two cumulative shares, 0 to 1. */
  readonly distance: number;
  /** Chance of a distance as large or larger when both come from the same distribution; 1 for an empty sample. */
  readonly pValue: number;
}

/**
 * Two-sample Kolmogorov–Smirnov test. The p-value is asymptotic, with Stephens's correction for finite samples
 * ("Use of the Kolmogorov–Smirnov, Cramér–von Mises and related statistics without extensive tables", 1970). What is no
 * number is left out.
 */
export function compareSamples(
  first: readonly number[],
  second: readonly number[],
): SampleDistance {
  const a = sortNumbers(first);
  const b = sortNumbers(second);
  if (a.length === 0 || b.length === 0) return { distance: 0, pValue: 1 };
  let distance = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i] ?? 0, b[j] ?? 0);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  return { distance, pValue: pValueOf(distance, a.length, b.length) };
}

/**
 * The same of two histograms over the same bins. Only the edges of the bins are compared, so that the distance is never
 * larger, and the p-value never smaller, than those of the values themselves.
 */
export function compareBinnedSamples(
  first: readonly number[],
  second: readonly number[],
): SampleDistance {
  const n = first.reduce((sum, count) => sum + count, 0);
  const m = second.reduce((sum, count) => sum + count, 0);
  if (n === 0 || m === 0) return { distance: 0, pValue: 1 };
  let distance = 0;
  let left = 0;
  let right = 0;
  for (const [bin, count] of first.entries()) {
    left += count;
    right += second[bin] ?? 0;
    distance = Math.max(distance, Math.abs(left / n - right / m));
  }
  return { distance, pValue: pValueOf(distance, n, m) };
}

/** Chance that the limit of √n times the distance is above `lambda` (Kolmogorov 1933): 2 Σ (−1)^(k−1) exp(−2 k² λ²). */
export function kolmogorovTail(lambda: number): number {
  // Below this the chance is 1 to more than twelve digits, and the sum converges slowly.
  if (lambda < 0.2) return 1;
  let sum = 0;
  for (let k = 1; k <= 100; k++) {
    const term = Math.exp(-2 * k * k * lambda * lambda);
    sum += k % 2 === 1 ? term : -term;
    if (term < 1e-17) break;
  }
  return Math.min(1, Math.max(0, 2 * sum));
}

function pValueOf(distance: number, n: number, m: number): number {
  const root = Math.sqrt((n * m) / (n + m));
  return kolmogorovTail((root + 0.12 + 0.11 / root) * distance);
}

function sortNumbers(values: readonly number[]): number[] {
  return values.filter((value) => !Number.isNaN(value)).sort((x, y) => x - y);
}
