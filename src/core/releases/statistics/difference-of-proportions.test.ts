import { expect, test } from "vitest";
import { differenceOfProportions } from "./difference-of-proportions.ts";

// Newcombe 1998, table II, method 10, gives 0.0524 to 0.3339 for 56/70 − 48/80; further digits and rows by the same
// formula with scipy.stats.norm.isf (SciPy 1.17.1).
test.each([
  [56, 70, 48, 80, 0.0524314724023649, 0.333872654036906],
  [10, 10, 0, 20, 0.6790860371419145, 1],
  [9, 10, 3, 10, 0.17052272393450302, 0.809017973535488],
])("%i/%i − %i/%i has Newcombe's interval", (s1, n1, s2, n2, lower, upper) => {
  const difference = differenceOfProportions(
    { successes: s1, trials: n1 },
    { successes: s2, trials: n2 },
    0.05,
  );
  expect(difference?.estimate).toBeCloseTo(s1 / n1 - s2 / n2, 12);
  expect(difference?.lower).toBeCloseTo(lower, 10);
  expect(difference?.upper).toBeCloseTo(upper, 10);
});

test("without trials there is no difference", () => {
  const none = { successes: 0, trials: 0 };
  expect(differenceOfProportions(none, { successes: 1, trials: 2 }, 0.05)).toBeNull();
});
