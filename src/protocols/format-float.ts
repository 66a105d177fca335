/** Powers of ten that a double holds exactly. */
const EXACT_POWERS: readonly number[] = Array.from({ length: 23 }, (_, power) => 10 ** power);
/** Digits that are enough for any float of 32 bits, and those that are for most that people write. */
const FLOAT_DIGITS = { fewest: 6, most: 9 } as const;
/** From here on the runtime writes an exponent. */
const FIRST_WITH_EXPONENT = 1e21;
/** Whole numbers up to here have a float of 32 bits each. */
const LAST_WHOLE_FLOAT = 2 ** 24;

/**
 * Writes a float of 32 bits with as few digits as still read back as the same float, and so that it can be told from a
 * whole number: with a point or an exponent.
 *
 * @param value finite, and a float of 32 bits: 0.1f is 0.10000000149011612 as a number and `0.1` as a text
 */
export function formatFloat32(value: number): string {
  return withPoint(toShortest(value));
}

/** The same for doubles, for which the runtime's own texts are the shortest. */
export function formatFloat64(value: number): string {
  return withPoint(value);
}

function withPoint(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  const isWritten = !Number.isInteger(value) || Math.abs(value) >= FIRST_WITH_EXPONENT;
  return isWritten ? String(value) : `${value}.0`;
}

/** The double with the fewest digits that rounds to `value`. */
function toShortest(value: number): number {
  if (Number.isInteger(value) && Math.abs(value) <= LAST_WHOLE_FLOAT) return value;
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  for (let digits = FLOAT_DIGITS.fewest; digits < FLOAT_DIGITS.most; digits++) {
    const decimals = digits - 1 - exponent;
    const rounded = roundAt(value, decimals) ?? Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return rounded;
  }
  return Number(value.toPrecision(FLOAT_DIGITS.most));
}

/**
 * `value` with so many decimals: exact operands and one rounding, so it is that decimal. Undefined where they would not
 * be exact.
 */
function roundAt(value: number, decimals: number): number | undefined {
  const power = EXACT_POWERS[decimals];
  return power === undefined ? undefined : Math.round(value * power) / power;
}
