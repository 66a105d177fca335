import type { Trials } from "./sequential-evidence.ts";
import { normalUpperQuantile } from "./special-functions.ts";

export interface Difference {
  /** Rate of the first minus rate of the second. */
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * Difference of two proportions with its confidence interval: Newcombe's hybrid of two Wilson intervals ("Interval
 * estimation for the difference between independent proportions", Statistics in Medicine 17, 1998, method 10). Good at
 * rates near 0 and 1 as well. For one look; what is looked at often is decided by `sequential-evidence.ts`.
 *
 * @param alpha chance that the interval misses the difference, e.g. 0.05
 * @returns null while either side has no trials
 */
export function differenceOfProportions(
  first: Trials,
  second: Trials,
  alpha: number,
): Difference | null {
  if (first.trials <= 0 || second.trials <= 0) return null;
  const z = normalUpperQuantile(alpha / 2);
  const p = first.successes / first.trials;
  const q = second.successes / second.trials;
  const one = wilsonInterval(first, z);
  const other = wilsonInterval(second, z);
  const estimate = p - q;
  return {
    estimate,
    lower: estimate - Math.hypot(p - one.lower, other.upper - q),
    upper: estimate + Math.hypot(one.upper - p, q - other.lower),
  };
}

/** Wilson's score interval ("Probable inference, the law of succession, and statistical inference", 1927). */
function wilsonInterval({ successes, trials }: Trials, z: number) {
  const middle = 2 * successes + z * z;
  const spread = z * Math.sqrt(z * z + 4 * successes * (1 - successes / trials));
  const scale = 2 * (trials + z * z);
  return { lower: (middle - spread) / scale, upper: (middle + spread) / scale };
}
