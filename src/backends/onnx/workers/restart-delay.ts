const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const MAX_DOUBLINGS = 10;

/**
 * How long to wait before a dead worker is replaced: not at all the first time, then 100 ms, doubled with every
 * further crash in a row up to 5 s, so that a machine without memory is not kept busy with loading models.
 *
 * @param crashesInARow crashes of one seat without a quiet time in between; at least 1.
 */
export function decideRestartDelayMs(crashesInARow: number): number {
  if (crashesInARow <= 1) return 0;
  const doublings = Math.min(crashesInARow - 2, MAX_DOUBLINGS);
  return Math.min(FIRST_DELAY_MS * 2 ** doublings, MAX_DELAY_MS);
}
