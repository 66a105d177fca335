import type { Verdict } from "./check-result.ts";
import { failed, passed, renderPercent, undecided } from "./check-result.ts";
import type { Trials } from "./statistics/sequential-evidence.ts";
import {
  isEvident,
  logEvidenceAbove,
  logEvidenceBelow,
  logEvidenceOfDrop,
} from "./statistics/sequential-evidence.ts";

/** What is good enough, and how sure one wants to be. */
export interface RateRule {
  /** A ratio. */
  readonly bound: number;
  /** Chance of a false alarm over all looks. */
  readonly alpha: number;
  /** Samples below which nothing passes. Evidence beyond doubt fails with fewer. */
  readonly minSamples: number;
}

/** Whether a rate is as high as it must be. */
export function judgeMinimum(sample: Trials, rule: RateRule): Verdict {
  const { bound, alpha } = rule;
  const numbers = renderTrials(sample);
  if (isEvident(logEvidenceBelow(sample, bound), alpha)) {
    return failed(bound, `${numbers} is below ${renderPercent(bound)}`);
  }
  const missing = judgeSize(sample.trials, rule);
  if (missing !== null) return missing;
  if (rateOf(sample) >= bound) return passed(bound, `${numbers}, at least ${renderPercent(bound)}`);
  return undecided(bound, `${numbers} is below ${renderPercent(bound)}, but that may be chance`);
}

/** Whether a rate is as low as it must be. */
export function judgeMaximum(sample: Trials, rule: RateRule): Verdict {
  const { bound, alpha } = rule;
  const numbers = renderTrials(sample);
  if (isEvident(logEvidenceAbove(sample, bound), alpha)) {
    return failed(bound, `${numbers} is above ${renderPercent(bound)}`);
  }
  const missing = judgeSize(sample.trials, rule);
  if (missing !== null) return missing;
  if (rateOf(sample) <= bound) return passed(bound, `${numbers}, at most ${renderPercent(bound)}`);
  return undecided(bound, `${numbers} is above ${renderPercent(bound)}, but that may be chance`);
}

/** Whether the candidate's rate is no further below that of stable than `rule.bound`. */
export function judgeDrop(stable: Trials, candidate: Trials, rule: RateRule): Verdict {
  const { bound, alpha } = rule;
  const numbers = `${renderTrials(candidate)} against ${renderTrials(stable)} of stable`;
  if (isEvident(logEvidenceOfDrop(stable, candidate, bound), alpha)) {
    return failed(bound, `${numbers}: more than ${renderPercent(bound)} lower`);
  }
  const missing = judgeSize(candidate.trials, rule) ?? judgeSize(stable.trials, rule, " of stable");
  if (missing !== null) return missing;
  if (rateOf(stable) - rateOf(candidate) <= bound) {
    return passed(bound, `${numbers}: no more than ${renderPercent(bound)} lower`);
  }
  return undecided(
    bound,
    `${numbers}: more than ${renderPercent(bound)} lower, but that may be chance`,
  );
}

/** The verdict that there are too few samples; null when there are enough. */
export function judgeSize(
  samples: number,
  { bound, minSamples }: Pick<RateRule, "bound" | "minSamples">,
  whose = "",
): Verdict | null {
  const missing = minSamples - samples;
  if (missing <= 0) return null;
  const reason = `${samples} samples${whose}, ${missing} too few`;
  return undecided(bound, reason, missing);
}

/** @returns NaN without trials */
export function rateOf({ successes, trials }: Trials): number {
  return successes / trials;
}

function renderTrials(sample: Trials): string {
  return sample.trials > 0 ? `${renderPercent(rateOf(sample))} of ${sample.trials}` : "nothing";
}
