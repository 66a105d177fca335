/** A weight matrix in signed bytes: column `n` means `values[k * columns + n] * scales[n]`. */
export interface QuantizedWeights {
  /** `rows * columns` values, row-major. */
  readonly values: Int8Array;
  /** One per column; above zero. */
  readonly scales: Float32Array;
}

/** A matrix as MatMul takes it on its right side. */
export interface WeightMatrix {
  /** Length of the sums. */
  readonly rows: number;
  /** Number of outputs. */
  readonly columns: number;
  /** Row-major. */
  readonly data: Float32Array;
}

/** Largest magnitude of a weight. */
export const FULL_RANGE = 127;
/**
 * The same for processors with AVX2 but without VNNI: they add two products of an unsigned and a signed byte in 16 bits,
 * and 2 · 255 · 64 = 32,640 is the largest pair that cannot overflow there.
 */
export const REDUCED_RANGE = 64;

/**
 * Rounds a matrix to signed bytes, symmetric around zero, with one scale per column (output channel). The error of a
 * value is at most half its column's scale. A column of zeros gets scale 1.
 *
 * @param largest magnitude of a rounded weight: {@link FULL_RANGE} or {@link REDUCED_RANGE}.
 */
export function quantizeWeights(matrix: WeightMatrix, largest: number): QuantizedWeights {
  const { rows, columns, data } = matrix;
  const magnitudes = new Float64Array(columns);
  for (let k = 0, at = 0; k < rows; k++) {
    for (let n = 0; n < columns; n++, at++) {
      const magnitude = Math.abs(data[at] as number);
      if (magnitude > (magnitudes[n] as number)) magnitudes[n] = magnitude;
    }
  }
  const scales = Float32Array.from(magnitudes, (magnitude) => toScale(magnitude, largest));
  const values = new Int8Array(data.length);
  for (let k = 0, at = 0; k < rows; k++) {
    for (let n = 0; n < columns; n++, at++) {
      const level = Math.round((data[at] as number) / (scales[n] as number));
      values[at] = Math.min(Math.max(level, -largest), largest);
    }
  }
  return { values, scales };
}

/** Smallest float32 of full precision; columns that small count as zeros. */
const SMALLEST_SCALE = 2 ** -126;

function toScale(magnitude: number, largest: number): number {
  const scale = Math.fround(magnitude / largest);
  return scale >= SMALLEST_SCALE ? scale : 1;
}
