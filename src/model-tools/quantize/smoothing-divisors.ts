import { toAffineScale } from "./affine-scale.ts";
import type { ChannelStatistics } from "./calibration-statistics.ts";
import type { WeightMatrix } from "./quantize-weights.ts";
import { FULL_RANGE } from "./quantize-weights.ts";

/** Dividing costs an operator per run, so it must take this share of the expected squared error away. */
const LEAST_GAIN = 0.3;
/**
 * Channels up to twice the median channel are left alone. Bringing them down too would fit the range so tightly to the
 * calibration texts that other texts are clipped.
 */
const LEAST_LIMIT = 2;
/** From one limit that is tried to the next. */
const LIMIT_STEP = 0.85;

/**
 * What each channel of an activation is divided by, and each row of the weights multiplied by. In transformers a few
 * channels have far larger values than the others and force coarse levels on all of them; divided, they reach no further
 * than a limit, and their weights, of which there are few, grow instead. The idea of moving the difficulty to the weights
 * is that of SmoothQuant (Xiao et al., ICML 2023), which divides every channel; here only those above the limit are.
 *
 * Of several limits, the one with the smallest expected error is taken.
 *
 * @param matrices of all layers that read the activation, one row per channel.
 * @returns undefined when dividing gains too little.
 */
export function decideSmoothingDivisors(
  channels: ChannelStatistics,
  matrices: readonly WeightMatrix[],
): Float32Array | undefined {
  const magnitudes = channels.low.map((low, k) => Math.max(-low, channels.high[k] as number));
  const sorted = magnitudes.toSorted();
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const largest = sorted.at(-1) ?? 0;
  const plain = new Float32Array(magnitudes.length).fill(1);
  let least = (1 - LEAST_GAIN) * estimateSquaredError(channels, matrices, plain);
  let best: Float32Array | undefined;
  if (median === 0) return undefined;
  for (let limit = largest * LIMIT_STEP; limit >= LEAST_LIMIT * median; limit *= LIMIT_STEP) {
    const divisors = Float32Array.from(magnitudes, (magnitude) => Math.max(magnitude / limit, 1));
    const error = estimateSquaredError(channels, matrices, divisors);
    if (error < least) {
      least = error;
      best = divisors;
    }
  }
  return best;
}

/**
 * The squared error that rounding to bytes is expected to make, summed over the outputs of all layers, for one row of the
 * activation. Rounding errors are taken as evenly spread over a level (a twelfth of its square) and independent.
 */
export function estimateSquaredError(
  { low, high, squares }: ChannelStatistics,
  matrices: readonly WeightMatrix[],
  divisors: Float32Array,
): number {
  const range = { low: 0, high: 0 };
  for (let k = 0; k < divisors.length; k++) {
    range.low = Math.min(range.low, (low[k] as number) / (divisors[k] as number));
    range.high = Math.max(range.high, (high[k] as number) / (divisors[k] as number));
  }
  const { scale } = toAffineScale(range);
  let fromActivation = 0;
  let fromWeights = 0;
  for (const { rows, columns, data } of matrices) {
    const largest = new Float64Array(columns);
    let energy = 0;
    for (let k = 0, at = 0; k < rows; k++) {
      const divisor = divisors[k] as number;
      energy += (squares[k] as number) / divisor ** 2;
      for (let n = 0; n < columns; n++, at++) {
        const weight = Math.abs((data[at] as number) * divisor);
        fromActivation += weight * weight;
        if (weight > (largest[n] as number)) largest[n] = weight;
      }
    }
    for (const magnitude of largest) fromWeights += energy * (magnitude / FULL_RANGE) ** 2;
  }
  return (scale ** 2 * fromActivation + fromWeights) / 12;
}

/** The matrix that gives the same products with the divided activation. */
export function multiplyRows(matrix: WeightMatrix, factors: Float32Array): WeightMatrix {
  const { rows, columns, data } = matrix;
  const multiplied = data.slice();
  for (let k = 0; k < rows; k++) {
    const factor = factors[k] as number;
    for (let at = k * columns; at < (k + 1) * columns; at++) {
      multiplied[at] = (multiplied[at] as number) * factor;
    }
  }
  return { rows, columns, data: multiplied };
}
