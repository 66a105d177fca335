/** Texts of one run, as positions in a list. */
export type PackedBatch = readonly number[];

/** Batches in the order of arrival, of up to `size` texts each: what a server does that gathers until a batch is full. */
export function packInOrder(lengths: readonly number[], size: number): PackedBatch[] {
  const batches: PackedBatch[] = [];
  for (let start = 0; start < lengths.length; start += size) {
    const count = Math.min(size, lengths.length - start);
    batches.push(Array.from({ length: count }, (_, i) => start + i));
  }
  return batches;
}

/**
 * Batches of neighbours in length: every `window` texts are sorted, then put together as long as the padded batch has at
 * most `maxTokens` ids. One text that is longer runs alone.
 */
export function packSorted(
  lengths: readonly number[],
  window: number,
  maxTokens: number,
): PackedBatch[] {
  const lengthOf = (position: number) => lengths[position] ?? 0;
  return packInOrder(lengths, window).flatMap((positions) => {
    const batches: number[][] = [];
    let current: number[] = [];
    for (const position of positions.toSorted((a, b) => lengthOf(a) - lengthOf(b))) {
      // In ascending order the newcomer is the longest.
      if (current.length > 0 && (current.length + 1) * lengthOf(position) > maxTokens) {
        batches.push(current);
        current = [];
      }
      current.push(position);
    }
    if (current.length > 0) batches.push(current);
    return batches;
  });
}

/** Ids that run, padding included, for each id that was asked for; 1 is no padding. */
export function toPaddingRatio(
  lengths: readonly number[],
  batches: readonly PackedBatch[],
): number {
  let padded = 0;
  let tokens = 0;
  for (const batch of batches) {
    const inBatch = batch.map((position) => lengths[position] ?? 0);
    padded += Math.max(...inBatch) * batch.length;
    tokens += inBatch.reduce((sum, length) => sum + length, 0);
  }
  return padded / tokens;
}
