import fc from "fast-check";
import { expect, test } from "vitest";
import type { VectorMatch } from "../ports/vector-store.ts";
import { voteNeighbors } from "./vote-neighbors.ts";

const match = (label: string | undefined, score: number): VectorMatch => ({
  id: `${label}-${score}`,
  text: undefined,
  label,
  metadata: {},
  score,
});

test("shares are positive and together 1, whatever the order and whoever has no label", () => {
  const neighbor = fc.record({
    label: fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined }),
    score: fc.double({ min: -1, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(neighbor, { maxLength: 20 }), (given) => {
      const neighbors = given.map(({ label, score }) => match(label, score));
      const shares = voteNeighbors(neighbors, "cosine");
      const labelled = neighbors.filter(({ label }) => label !== undefined);
      if (labelled.length === 0) {
        expect(shares).toEqual([]);
        return;
      }
      expect(shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 9);
      for (const { share } of shares) expect(share).toBeGreaterThan(0);
      const turned = voteNeighbors(neighbors.toReversed(), "cosine");
      expect(turned.map(({ label }) => label).toSorted()).toEqual(
        shares.map(({ label }) => label).toSorted(),
      );
    }),
  );
});

test("one near neighbour outweighs two distant ones, and two near ones outweigh one", () => {
  const near = match("near", 0.9);
  const far = [match("far", 0.5), match("far", 0.49)];
  expect(voteNeighbors([near, ...far], "cosine")[0]?.label).toBe("near");
  const equal = [match("two", 0.88), match("two", 0.88)];
  expect(voteNeighbors([near, ...equal], "cosine")[0]?.label).toBe("two");
});

test("Euclidean distances of unit vectors say what their cosines say", () => {
  const cosines = [0.9, 0.7, 0.2];
  const labels = ["a", "b", "a"];
  const byCosine = voteNeighbors(
    cosines.map((c, i) => match(labels[i], c)),
    "cosine",
  );
  const byDistance = voteNeighbors(
    cosines.map((c, i) => match(labels[i], Math.sqrt(2 - 2 * c))),
    "l2",
  );
  for (const [i, { label, share }] of byCosine.entries()) {
    expect(byDistance[i]?.label).toBe(label);
    expect(byDistance[i]?.share).toBeCloseTo(share, 9);
  }
});
