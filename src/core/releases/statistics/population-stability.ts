import { chiSquareTail } from "./special-functions.ts";

export interface StabilityIndex {
  /** 0 = the same shares; 0.2 is commonly read as a shift that matters. */
  readonly index: number;
  /** Chance of an index as high or higher when nothing shifted; 1 where there is nothing to compare. */
  readonly pValue: number;
}

/**
 * Population stability index of two histograms over the same bins: Σ (p − q) · ln(p / q), which is Jeffreys's divergence
 * (Siddiqi, "Credit Risk Scorecards", 2006). Half an observation is added to each bin that either side uses, so that an
 * empty one does not make the index infinite.
 *
 * Of small samples the index is high by chance alone. When nothing shifted it is distributed as (1/n + 1/m) times
 * chi-square with bins − 1 degrees of freedom (Yurdakul, Naranjo, "Statistical properties of the population stability
 * index", Journal of Risk Model Validation 14(4), 2020): that gives the p-value.
 *
 * @param expected counts per bin @param actual counts per bin, as many
 */
export function compareHistograms(
  expected: readonly number[],
  actual: readonly number[],
): StabilityIndex {
  const bins = expected
    .map((count, bin) => ({ p: count, q: actual[bin] ?? 0 }))
    .filter(({ p, q }) => p + q > 0);
  const n = bins.reduce((sum, { p }) => sum + p, 0);
  const m = bins.reduce((sum, { q }) => sum + q, 0);
  if (n === 0 || m === 0 || bins.length < 2) return { index: 0, pValue: 1 };
  let index = 0;
  for (const bin of bins) {
    const p = (bin.p + 0.5) / (n + 0.5 * bins.length);
    const q = (bin.q + 0.5) / (m + 0.5 * bins.length);
    index += (p - q) * Math.log(p / q);
  }
  return { index, pValue: chiSquareTail(index / (1 / n + 1 / m), bins.length - 1) };
}
