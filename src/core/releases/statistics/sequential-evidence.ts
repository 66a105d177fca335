import { logBeta } from "./special-functions.ts";

/**
 * Inference that may be looked at as often as one likes. A test of fixed size that is repeated until it says no will say
 * no in the end; the evidence below does not, however often and whenever one stops.
 *
 * Evidence against a rate p is the likelihood of the sample, averaged over all rates, over its likelihood at p: the mixture
 * sequential probability ratio test (Robbins, "Statistical methods related to the law of the iterated logarithm", 1970;
 * for such use Johari, Koomen, Pekelis, Walsh, "Always valid inference", Operations Research 70, 2022; Howard, Ramdas,
 * McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals of Statistics 49, 2021).
 * At the true rate it is a martingale that begins at 1, so that by Ville's inequality it ever reaches 1/α with chance α
 * at most. With a uniform mixture it is B(1 + s, 1 + n − s) / (p^s (1 − p)^(n − s)).
 *
 * Each factor is convex in the observation, so that all of it holds for numbers between 0 and 1 with mean p too, e.g.
 * confidences: `successes` is then their sum (Waudby-Smith, Ramdas, "Estimating means of bounded random variables by
 * betting", JRSS B 86, 2024).
 */
export interface Trials {
  /** How many went well, or the sum of numbers between 0 and 1; 0 ≤ successes ≤ trials. */
  readonly successes: number;
  readonly trials: number;
}

export interface RateInterval {
  readonly lower: number;
  readonly upper: number;
}

/** Whether evidence is enough for a chance of error of `alpha`. @param logEvidence natural logarithm */
export function isEvident(logEvidence: number, alpha: number): boolean {
  return logEvidence >= -Math.log(alpha);
}

/** Natural logarithm of the evidence against `rate`. 0 without trials. @param rate 0 to 1 */
export function logEvidenceAgainst(sample: Trials, rate: number): number {
  return logMixture(sample) - logLikelihood(sample, rate);
}

/** Evidence that the rate is below `bound`; 0 where the sample does not say so. Valid against every rate from `bound` up. */
export function logEvidenceBelow(sample: Trials, bound: number): number {
  if (sample.trials <= 0 || sample.successes / sample.trials >= bound) return 0;
  return Math.max(0, logEvidenceAgainst(sample, bound));
}

/** Evidence that the rate is above `bound`; 0 where the sample does not say so. */
export function logEvidenceAbove(sample: Trials, bound: number): number {
  if (sample.trials <= 0 || sample.successes / sample.trials <= bound) return 0;
  return Math.max(0, logEvidenceAgainst(sample, bound));
}

/**
 * Evidence that the rate of `second` is below that of `first` by more than `margin`. The product of both evidences is a
 * martingale at the true pair of rates; the smallest product over all pairs that lie closer is therefore valid against
 * each of them. Both samples may grow at any pace.
 *
 * @param margin 0 to 1
 */
export function logEvidenceOfDrop(first: Trials, second: Trials, margin: number): number {
  if (first.trials <= 0 || second.trials <= 0) return 0;
  let low = second.successes / second.trials;
  let high = first.successes / first.trials - margin;
  if (low >= high) return 0;
  // The sum of both likelihoods is concave, and each is greatest at one of the ends: the sum is between them.
  const likelihoodAt = (rate: number) =>
    logLikelihood(first, Math.min(1, rate + margin)) + logLikelihood(second, rate);
  for (let step = 0; step < 60; step++) {
    const third = (high - low) / 3;
    if (likelihoodAt(low + third) > likelihoodAt(high - third)) high -= third;
    else low += third;
  }
  const evidence = logMixture(first) + logMixture(second) - likelihoodAt((low + high) / 2);
  return Math.max(0, evidence);
}

/** The rates that the sample does not contradict: all of them at all times together contain the true one with chance 1 − α. */
export function toRateInterval(sample: Trials, alpha: number): RateInterval {
  if (sample.trials <= 0) return { lower: 0, upper: 1 };
  const estimate = sample.successes / sample.trials;
  return {
    lower: findEdge(sample, alpha, estimate, 0),
    upper: findEdge(sample, alpha, estimate, 1),
  };
}

/** Bisection between a rate that is not contradicted and the end of the range. */
function findEdge(sample: Trials, alpha: number, estimate: number, end: number): number {
  if (!isEvident(logEvidenceAgainst(sample, end), alpha)) return end;
  let inside = estimate;
  let outside = end;
  for (let step = 0; step < 60; step++) {
    const middle = (inside + outside) / 2;
    if (isEvident(logEvidenceAgainst(sample, middle), alpha)) outside = middle;
    else inside = middle;
  }
  return outside;
}

/** The part of `alpha` that look number `look` may spend, so that all looks together spend no more; for tests of one look. */
export function spendAlpha(alpha: number, look: number): number {
  // Σ 1 / (k (k + 1)) = 1
  return alpha / (look * (look + 1));
}

/** Logarithm of the likelihood averaged over all rates. */
function logMixture({ successes, trials }: Trials): number {
  return logBeta(1 + successes, 1 + trials - successes);
}

function logLikelihood({ successes, trials }: Trials, rate: number): number {
  return timesLog(successes, rate) + timesLog(trials - successes, 1 - rate);
}

/** Nothing times the logarithm of nothing is nothing: what did not happen says nothing. */
function timesLog(count: number, rate: number): number {
  return count <= 0 ? 0 : count * Math.log(Math.max(0, rate));
}
