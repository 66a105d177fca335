/**
 * Writes numbers of a known range as decimals with a fixed number of digits. Turning a fraction into its shortest text
 * is the dearest part of a small answer; turning an integer into text is nearly free.
 */

/** A share from 0 to 1 with six digits, which is about a float's precision; any other finite number as it is. */
export function formatScore(score: number): string {
  const millionths = Math.round(score * 1e6);
  if (millionths >= 0 && millionths < 1e6) return `0.${String(1e6 + millionths).slice(1)}`;
  // JSON has no infinities.
  return Number.isFinite(score) ? String(millionths / 1e6) : "null";
}

/** Milliseconds (≥ 0) with microsecond resolution. */
export function formatMs(ms: number): string {
  const microseconds = Math.round(ms * 1000);
  const whole = Math.floor(microseconds / 1000);
  return `${whole}.${String(1000 + (microseconds - whole * 1000)).slice(1)}`;
}
