/** About two significant digits, never in exponent form: `0.0041 ms`, `1.3 ms`, `48 ms`. */
export function formatMs(ms: number): string {
  const digits = ms <= 0 ? 0 : Math.min(Math.max(1 - Math.floor(Math.log10(ms)), 0), 6);
  return `${ms.toFixed(digits)} ms`;
}

/** `1 worker`, `2 workers`. */
export function formatCount(amount: number, noun: string): string {
  return amount === 1 ? `1 ${noun}` : `${amount} ${noun}s`;
}
