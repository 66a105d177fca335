import fc from "fast-check";
import { expect, test } from "vitest";
import { createUnigramReader } from "./unigram-model.ts";

const anyWord = fc.string({ unit: fc.constantFrom("a", "b", "😀", "é"), maxLength: 8 });
const anyScore = fc.integer({ min: -40, max: -1 });

/** The highest score of all ways to cut a word into tokens, by trying every one. */
function findBestScore(word: string, scores: ReadonlyMap<string, number>, unknown: number): number {
  if (word === "") return 0;
  let best = Number.NEGATIVE_INFINITY;
  const characters = [...word];
  for (let length = 1; length <= characters.length; length++) {
    const token = characters.slice(0, length).join("");
    const score = scores.get(token) ?? (length === 1 ? unknown : undefined);
    if (score === undefined) continue;
    best = Math.max(best, score + findBestScore(word.slice(token.length), scores, unknown));
  }
  return best;
}

test("no way to cut a word is more likely than the one taken", () => {
  fc.assert(
    fc.property(anyWord, fc.dictionary(anyWord, anyScore), (word, tokens) => {
      const entries = Object.entries(tokens).filter(([token]) => token !== "");
      const vocabulary = [["<unk>", -1] as const, ...entries];
      const scores = new Map(entries);
      const unknown = Math.min(...vocabulary.map(([, score]) => score)) - 10;
      const ids: number[] = [];
      createUnigramReader({ vocabulary, unknownId: 0, usesBytes: false })(word, ids);
      const known = ids.filter((id) => id > 0).map((id) => entries[id - 1] ?? (["", 0] as const));
      // Several unknown characters side by side are one id: what the known tokens leave is how many there were.
      const left = known.reduce((sum, [token]) => sum - [...token].length, [...word].length);
      const score =
        known.reduce((sum, [, one]) => sum + one, 0) + (left === 0 ? 0 : left * unknown);
      expect(score).toBe(findBestScore(word, scores, unknown));
    }),
  );
});
