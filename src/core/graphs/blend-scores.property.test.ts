import fc from "fast-check";
import { expect, test } from "vitest";
import { applyActivation } from "../text/labels.ts";
import type { WeightedOpinion } from "./blend-scores.ts";
import { blendScores, toLogits } from "./blend-scores.ts";

/** Members that give scores for the same labels, each in an order of its own. */
const members = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 2, maxLength: 6 })
  .chain((labels) =>
    fc.array(
      fc.record({
        labels: fc.shuffledSubarray(labels, { minLength: labels.length }),
        raw: fc.array(fc.integer({ min: 1, max: 1000 }), {
          minLength: labels.length,
          maxLength: labels.length,
        }),
        weight: fc.integer({ min: 1, max: 100 }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  )
  .map((all) =>
    all.map(({ labels, raw, weight }): WeightedOpinion => {
      const sum = raw.reduce((total, one) => total + one, 0);
      return { labels, scores: Float32Array.from(raw, (one) => one / sum), weight };
    }),
  );
const combine = fc.constantFrom("average" as const, "vote" as const);

const byLabel = (opinion: ReturnType<typeof blendScores>) =>
  new Map(opinion?.labels.map((label, at) => [label, opinion.scores[at] ?? Number.NaN]));

function expectSame(one: ReturnType<typeof blendScores>, other: ReturnType<typeof blendScores>) {
  const scores = byLabel(other);
  for (const [label, score] of byLabel(one)) expect(scores.get(label)).toBeCloseTo(score, 6);
  expect(scores.size).toBe(byLabel(one).size);
}

test("scores of members that add up to 1 are blended to scores that add up to 1", () => {
  fc.assert(
    fc.property(members, combine, (opinions, how) => {
      const scores = [...(blendScores(opinions, how)?.scores ?? [])];
      expect(scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 5);
    }),
  );
});

test("the order of the members does not matter", () => {
  fc.assert(
    fc.property(members, combine, (opinions, how) => {
      expectSame(blendScores(opinions, how), blendScores(opinions.toReversed(), how));
    }),
  );
});

test("the order of a member's labels does not matter", () => {
  fc.assert(
    fc.property(members, combine, (opinions, how) => {
      const turned = opinions.map(({ labels, scores, weight }) => ({
        labels: labels.toReversed(),
        scores: scores.toReversed(),
        weight,
      }));
      expectSame(blendScores(opinions, how), blendScores(turned, how));
    }),
  );
});

test("a blended score lies between those of the members", () => {
  fc.assert(
    fc.property(members, (opinions) => {
      for (const [label, score] of byLabel(blendScores(opinions, "average"))) {
        const all = opinions.map(({ labels, scores }) => scores[labels.indexOf(label)] ?? 0);
        expect(score).toBeGreaterThanOrEqual(Math.min(...all) - 1e-6);
        expect(score).toBeLessThanOrEqual(Math.max(...all) + 1e-6);
      }
    }),
  );
});

test("softmax of the outputs made of scores gives the scores back, sigmoid those of a multi-label model", () => {
  fc.assert(
    fc.property(members, (opinions) => {
      const { scores = new Float32Array() } = blendScores(opinions, "average") ?? {};
      const single = applyActivation(toLogits(scores, false), "softmax");
      const multi = applyActivation(toLogits(scores, true), "sigmoid");
      for (const [at, score] of scores.entries()) {
        expect(single[at]).toBeCloseTo(score, 5);
        expect(multi[at]).toBeCloseTo(score, 5);
      }
    }),
  );
});
