/** A range of values; it holds zero. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/** How a number becomes an unsigned byte: `q = clamp(round(x / scale) + zeroPoint, 0, 255)`. */
export interface AffineScale {
  /** A float32 value above zero. */
  readonly scale: number;
  /** 0 … 255; the byte that means zero. */
  readonly zeroPoint: number;
}

const LEVELS = 255;
/** Smallest float32 of full precision. */
const SMALLEST_SCALE = 2 ** -126;

/**
 * The scale that spreads 256 levels over a range, moved by less than a level so that zero is exactly one of them.
 * A range of nothing but zero gets scale 1.
 */
export function toAffineScale({ low, high }: ValueRange): AffineScale {
  const from = Math.min(low, 0);
  const to = Math.max(high, 0);
  const scale = Math.fround((to - from) / LEVELS);
  if (!(scale >= SMALLEST_SCALE)) return { scale: 1, zeroPoint: 0 };
  const zeroPoint = Math.min(Math.max(roundHalfToEven(-from / scale), 0), LEVELS);
  return { scale, zeroPoint };
}

/** What is left of a number after the way to a byte and back. Rounds halves to even, as QuantizeLinear does. */
export function roundTrip(value: number, { scale, zeroPoint }: AffineScale): number {
  const level = roundHalfToEven(value / scale) + zeroPoint;
  return (Math.min(Math.max(level, 0), LEVELS) - zeroPoint) * scale;
}

/** To the nearest whole number, and to the even one of two that are equally near (IEEE 754's default). */
export function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
