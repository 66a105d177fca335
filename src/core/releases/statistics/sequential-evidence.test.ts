import { describe, expect, test } from "vitest";
import type { Trials } from "./sequential-evidence.ts";
import {
  isEvident,
  logEvidenceAbove,
  logEvidenceAgainst,
  logEvidenceBelow,
  logEvidenceOfDrop,
  spendAlpha,
  toRateInterval,
} from "./sequential-evidence.ts";

const of = (successes: number, trials: number): Trials => ({ successes, trials });

describe("evidence", () => {
  // Expected: scipy.special.betaln; the first also by scipy.integrate.quad over the mixture (SciPy 1.17.1).
  test.each([
    [17, 20, 0.99, 3.903060288361834],
    [50, 100, 0.6, -0.04314438685140942],
    [3.7, 10, 0.5, -0.686538370936618],
  ])("of %f in %i against a rate of %f", (successes, trials, rate, expected) => {
    expect(logEvidenceAgainst(of(successes, trials), rate)).toBeCloseTo(expected, 9);
  });

  // Expected: scipy.optimize.minimize_scalar over the pairs of rates that lie just as far apart as the margin.
  test.each([
    [990, 1000, 80, 100, 0, 24.460673694214954],
    [990, 1000, 80, 100, 0.05, 3.6980872063828514],
    [95, 100, 60, 100, 0.1, 5.478846936820226],
  ])("of a drop from %i/%i to %i/%i by more than %f", (s1, n1, s2, n2, margin, expected) => {
    expect(logEvidenceOfDrop(of(s1, n1), of(s2, n2), margin)).toBeCloseTo(expected, 6);
  });

  // Expected: scipy.optimize.brentq on the same evidence.
  test.each([
    [90, 100, 0.05, 0.7717290804491711, 0.9711580019164375],
    [10, 1000, 0.01, 0.001702820515363225, 0.030321703811102118],
  ])("%i in %i, α = %f, leave an interval", (successes, trials, alpha, lower, upper) => {
    const interval = toRateInterval(of(successes, trials), alpha);
    expect(interval.lower).toBeCloseTo(lower, 9);
    expect(interval.upper).toBeCloseTo(upper, 9);
  });

  test("of nothing is nothing", () => {
    expect(logEvidenceBelow(of(0, 0), 0.99)).toBe(0);
    expect(logEvidenceAbove(of(0, 0), 0.1)).toBe(0);
    expect(logEvidenceOfDrop(of(0, 0), of(5, 10), 0)).toBe(0);
    expect(toRateInterval(of(0, 0), 0.05)).toEqual({ lower: 0, upper: 1 });
  });

  test("of what cannot be is infinite", () => {
    expect(logEvidenceBelow(of(9, 10), 1)).toBe(Number.POSITIVE_INFINITY);
    expect(logEvidenceAbove(of(1, 10), 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("points one way only", () => {
    expect(logEvidenceBelow(of(100, 100), 0.9)).toBe(0);
    expect(logEvidenceAbove(of(0, 100), 0.1)).toBe(0);
    expect(logEvidenceOfDrop(of(50, 100), of(90, 100), 0)).toBe(0);
  });
});

test("what single looks may spend adds up to alpha", () => {
  let spent = 0;
  for (let look = 1; look <= 10_000; look++) spent += spendAlpha(0.05, look);
  expect(spent).toBeLessThanOrEqual(0.05);
  expect(spent).toBeGreaterThan(0.0499);
});

/** Mulberry32 (Tommy Ettinger, public domain): the same draws in every run. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const RUNS = 2000;
const LOOKS = 50;
const ALPHA = 0.05;

describe("looking 50 times", () => {
  const random = createRandom(7);
  const draw = (rate: number, trials: number) => {
    let successes = 0;
    for (let at = 0; at < trials; at++) if (random() < rate) successes++;
    return successes;
  };

  /** Share of runs in which any look found a difference, with 20 requests for stable and 5 for the candidate per look. */
  function alarmRate(
    stableRate: number,
    candidateRate: number,
    isAlarm: (stable: Trials, candidate: Trials) => boolean,
  ): number {
    let alarms = 0;
    for (let run = 0; run < RUNS; run++) {
      let stable = of(0, 0);
      let candidate = of(0, 0);
      for (let look = 0; look < LOOKS; look++) {
        stable = of(stable.successes + draw(stableRate, 20), stable.trials + 20);
        candidate = of(candidate.successes + draw(candidateRate, 5), candidate.trials + 5);
        if (!isAlarm(stable, candidate)) continue;
        alarms++;
        break;
      }
    }
    return alarms / RUNS;
  }

  const findsDrop = (stable: Trials, candidate: Trials) =>
    isEvident(logEvidenceOfDrop(stable, candidate, 0), ALPHA);

  test.each([0.5, 0.9, 0.99])("finds no drop in 95 % of runs when both succeed at %f", (rate) => {
    expect(alarmRate(rate, rate, findsDrop)).toBeLessThanOrEqual(ALPHA);
  });

  test("finds a rate at its bound to be below it in no more than 5 % of runs", () => {
    const isBelow = (_: Trials, candidate: Trials) =>
      isEvident(logEvidenceBelow(candidate, 0.95), ALPHA);
    expect(alarmRate(0.95, 0.95, isBelow)).toBeLessThanOrEqual(ALPHA);
  });

  test("would, with a test for one look, find a drop that is none in far more than 5 % of runs", () => {
    // What the sequential test is for: the same question by the usual z-test at 5 %, asked 50 times.
    const findsByOneLook = (stable: Trials, candidate: Trials) => {
      const pooled = (stable.successes + candidate.successes) / (stable.trials + candidate.trials);
      const error = Math.sqrt(pooled * (1 - pooled) * (1 / stable.trials + 1 / candidate.trials));
      const drop = stable.successes / stable.trials - candidate.successes / candidate.trials;
      return drop > 1.645 * error && error > 0;
    };
    expect(alarmRate(0.9, 0.9, findsByOneLook)).toBeGreaterThan(0.15);
  });

  test("finds a drop from 99 % to 85 % in nearly every run", () => {
    expect(alarmRate(0.99, 0.85, findsDrop)).toBeGreaterThan(0.95);
  });
});
