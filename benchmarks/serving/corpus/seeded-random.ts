/**
 * Random numbers that are the same in every run: the 32-bit xorshift generator (Marsaglia, "Xorshift RNGs", 2003).
 * Good enough to shuffle texts and to space arrivals.
 *
 * @returns a function that gives numbers from 0 up to, but without, 1
 */
export function createSeededRandom(seed: number): () => number {
  // Zero would stay zero, and neighbouring seeds must not give neighbouring sequences.
  let state = Math.imul(seed | 0, 0x9e3779b1) ^ 0x6a09e667 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}

/** The numbers from 0 to `count - 1` in random order (Fisher and Yates). */
export function shuffleIndexes(count: number, random: () => number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const moved = order[i] ?? 0;
    order[i] = order[j] ?? 0;
    order[j] = moved;
  }
  return order;
}

/** A new list with the same members in random order. */
export function shuffle<Value>(values: readonly Value[], random: () => number): Value[] {
  return [...shuffleIndexes(values.length, random)].flatMap((index) =>
    values.slice(index, index + 1),
  );
}
