/** Half floats as their bits, for engines without an array of them. Format: IEEE 754 binary16. */

const SIGN = 0x8000;
const FRACTION_BITS = 10;
const FRACTION_MASK = 0x3ff;
const EXPONENT_MASK = 0x1f;
const EXPONENT_BIAS = 15;
const INFINITY = 0x7c00;
const NOT_A_NUMBER = 0x7e00;
const MIN_EXPONENT = 1 - EXPONENT_BIAS;
/** The smallest half float above zero. */
const SUBNORMAL_STEP = 2 ** (MIN_EXPONENT - FRACTION_BITS);
/** From here on, the nearest half float is infinity. */
const OVERFLOW = 65_520;

/** The number that 16 bits stand for. */
export function fromHalfBits(bits: number): number {
  const sign = bits & SIGN ? -1 : 1;
  const exponent = (bits >> FRACTION_BITS) & EXPONENT_MASK;
  const fraction = bits & FRACTION_MASK;
  if (exponent === 0) return sign * fraction * SUBNORMAL_STEP;
  if (exponent === EXPONENT_MASK) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / (FRACTION_MASK + 1)) * 2 ** (exponent - EXPONENT_BIAS);
}

/** The bits of the half float nearest to `value`; of two, the one whose last bit is 0. */
export function toHalfBits(value: number): number {
  if (Number.isNaN(value)) return NOT_A_NUMBER;
  const sign = value < 0 || Object.is(value, -0) ? SIGN : 0;
  const size = Math.abs(value);
  if (size >= OVERFLOW) return sign | INFINITY;
  const exponent = Math.max(MIN_EXPONENT, floorLog2(size));
  // In steps of the last bit. A fraction that is rounded up to the next power of two carries into the exponent's bits.
  const steps = roundToEven(size / 2 ** (exponent - FRACTION_BITS));
  // The leading 1 of a normal number is one of the steps, and adds the 1 that the exponent's field lacks here.
  return sign | (((exponent - MIN_EXPONENT) << FRACTION_BITS) + steps);
}

function floorLog2(size: number): number {
  if (size === 0) return MIN_EXPONENT;
  const guess = Math.floor(Math.log2(size));
  // The logarithm of a number just below a power of two may be rounded up to it.
  return 2 ** guess > size ? guess - 1 : guess;
}

function roundToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest === 0.5) return below + (below % 2);
  return rest < 0.5 ? below : below + 1;
}
