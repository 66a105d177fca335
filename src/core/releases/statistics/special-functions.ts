/** Lanczos coefficients for g = 7, n = 9 (Godfrey, "A note on the computation of the convergent Lanczos complex gamma approximation", 2001). */
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
] as const;

const MAX_STEPS = 10_000;
const PRECISION = 1e-14;
/** Stands for zero in continued fractions, where zero would divide. */
const TINY = 1e-300;

/** Natural logarithm of Γ(x), by Lanczos's approximation, to about 14 digits. @param x above 0 */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let sum: number = LANCZOS[0];
  for (const [index, coefficient] of LANCZOS.entries()) {
    if (index > 0) sum += coefficient / (shifted + index);
  }
  const base = shifted + LANCZOS_G + 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

/** Natural logarithm of the beta function. @param a above 0 @param b above 0 */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/**
 * Regularized incomplete beta function I_x(a, b), by its continued fraction (NIST DLMF 8.17.22) with Lentz's method.
 *
 * @param x 0 to 1
 */
export function regularizedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b));
  // The fraction converges fast on this side only; the other side is its complement.
  if (x < (a + 1) / (a + b + 2)) return (front * betaFraction(x, a, b)) / a;
  return 1 - (front * betaFraction(1 - x, b, a)) / b;
}

function betaFraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < MAX_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / awayFromZero(1 + even * d);
    c = awayFromZero(1 + even / c);
    result *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / awayFromZero(1 + odd * d);
    c = awayFromZero(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < PRECISION) break;
  }
  return result;
}

/**
 * Regularized upper incomplete gamma function Q(a, x): by its series below a + 1 (NIST DLMF 8.7.1), by its continued
 * fraction above (8.9.2).
 *
 * @param a above 0 @param x 0 or more
 */
export function regularizedUpperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  return x < a + 1 ? 1 - front * gammaSeries(a, x) : front * gammaFraction(a, x);
}

function gammaSeries(a: number, x: number): number {
  let term = 1 / a;
  let sum = term;
  for (let n = 1; n < MAX_STEPS; n++) {
    term *= x / (a + n);
    sum += term;
    if (term < sum * PRECISION) break;
  }
  return sum;
}

function gammaFraction(a: number, x: number): number {
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / awayFromZero(b);
  let result = d;
  for (let n = 1; n < MAX_STEPS; n++) {
    const factor = -n * (n - a);
    b += 2;
    d = 1 / awayFromZero(factor * d + b);
    c = awayFromZero(b + factor / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < PRECISION) break;
  }
  return result;
}

/** Chance that a chi-square variable is above `value`. @param degrees of freedom, 1 or more */
export function chiSquareTail(value: number, degrees: number): number {
  return regularizedUpperGamma(degrees / 2, value / 2);
}

/** Chance of at most `successes` in `trials`, each with chance `rate`. Whole numbers; `rate` 0 to 1. */
export function binomialCumulative(successes: number, trials: number, rate: number): number {
  if (successes < 0) return 0;
  if (successes >= trials) return 1;
  return regularizedBeta(1 - rate, trials - successes, successes + 1);
}

/** The z above which a standard normal variable is with chance `tail`, by bisection. @param tail above 0, up to 0.5 */
export function normalUpperQuantile(tail: number): number {
  let low = 0;
  let high = 40;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    // erfc(z / √2) = Q(1/2, z² / 2)
    if (regularizedUpperGamma(0.5, (middle * middle) / 2) / 2 > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function awayFromZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
