/**
 * The candidate that someone who wrote `written` most likely meant, or undefined when none is near. Capitals,
 * hyphens, underscores and dots do not count: `max_batch_items` is `maxBatchItems`.
 */
export function suggest(written: string, candidates: readonly string[]): string | undefined {
  const plain = toPlain(written);
  const tolerance = Math.max(1, Math.floor(plain.length / 4));
  let best: { readonly candidate: string; readonly distance: number } | undefined;
  for (const candidate of candidates) {
    const distance = measureDistance(plain, toPlain(candidate), tolerance);
    if (distance <= tolerance && (best === undefined || distance < best.distance)) {
      best = { candidate, distance };
    }
  }
  return best?.candidate;
}

function toPlain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`; stops early beyond `limit`. */
function measureDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current: number[] = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const edited = Math.min(replaced, at(previous, j) + 1, at(current, j - 1) + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      current.push(isSwap ? Math.min(edited, at(beforePrevious, j - 2) + 1) : edited);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
