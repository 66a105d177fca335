import type { MetricRule } from "./release-metric.ts";

/** `inconclusive`: nothing speaks against the candidate beyond doubt, and not enough speaks for it. */
export type CheckOutcome = "pass" | "fail" | "inconclusive";

/** What one metric says. Plain JSON: numbers that are unknown or infinite are null. */
export interface CheckResult {
  /** Of the metric. */
  readonly name: string;
  readonly kind: MetricRule["kind"];
  readonly isDecisive: boolean;
  readonly outcome: CheckOutcome;
  /** Of the candidate, in the metric's unit: a ratio, milliseconds, an index. */
  readonly value: number | null;
  /** Where it truly is, as sure as the plan wants to be, however often is looked; null = that end is open, or unknown. */
  readonly lower: number | null;
  readonly upper: number | null;
  /** What `value` is of stable in the same window. */
  readonly stableValue: number | null;
  /** The bound that decided. */
  readonly bound: number | null;
  /** Of the candidate. */
  readonly samples: number;
  /** How many more are needed before the check can pass, of whichever version has too few; 0 where that is not what is missing. */
  readonly missingSamples: number;
  /** A sentence for people, with the numbers. */
  readonly reason: string;
}

/** What one bound of a metric says. */
export interface Verdict {
  readonly outcome: CheckOutcome;
  readonly bound: number | null;
  readonly missingSamples: number;
  readonly reason: string;
}

/** Worst first. */
const SEVERITY: readonly CheckOutcome[] = ["fail", "inconclusive", "pass"];

/** The worst outcome; `pass` where nobody says anything. */
export function worstOutcome(outcomes: readonly CheckOutcome[]): CheckOutcome {
  return SEVERITY.find((outcome) => outcomes.includes(outcome)) ?? "pass";
}

/** The verdict that decides: the first of the worst. @param verdicts one or more */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  const worst = worstOutcome(verdicts.map(({ outcome }) => outcome));
  const found = verdicts.find(({ outcome }) => outcome === worst);
  const missingSamples = Math.max(0, ...verdicts.map((verdict) => verdict.missingSamples));
  if (found === undefined) return passed(null, "no bound is set");
  return { ...found, missingSamples };
}

/** A verdict for the candidate. */
export function passed(bound: number | null, reason: string): Verdict {
  return { outcome: "pass", bound, missingSamples: 0, reason };
}

/** A verdict against it. */
export function failed(bound: number | null, reason: string): Verdict {
  return { outcome: "fail", bound, missingSamples: 0, reason };
}

/** No verdict. @param missingSamples how many more would help; 0 = that is not what is missing */
export function undecided(bound: number | null, reason: string, missingSamples = 0): Verdict {
  return { outcome: "inconclusive", bound, missingSamples, reason };
}

/** A ratio as percent, e.g. `99.25 %`. */
export function renderPercent(ratio: number): string {
  return `${Number((ratio * 100).toFixed(2))} %`;
}

/** A number with as many digits as people read, e.g. `0.213`. */
export function renderNumber(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}
