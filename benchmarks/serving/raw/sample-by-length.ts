import type { EncodedText } from "../../../src/core/ports/tokenizer.ts";
import { createSeededRandom, shuffle } from "../corpus/seeded-random.ts";

const SEED = 7;

/**
 * Fewer texts with the same distribution of lengths, in random order: every so-maniest of the texts in order of length.
 * A tenth of the mixed texts holds more than half of the work, so a random choice of some hundreds would err by several
 * percent. The same texts always give the same choice.
 */
export function sampleByLength(texts: readonly EncodedText[], count: number): EncodedText[] {
  const sorted = texts.toSorted((a, b) => a.ids.length - b.ids.length);
  const step = Math.max(1, sorted.length / count);
  const chosen: EncodedText[] = [];
  for (let place = step / 2; place < sorted.length; place += step) {
    const text = sorted[Math.floor(place)];
    if (text !== undefined) chosen.push(text);
  }
  return shuffle(chosen, createSeededRandom(SEED));
}
