import type { QuantizedWeights, WeightMatrix } from "./quantize-weights.ts";

/**
 * The bias with which a quantized layer gives the right outputs on average: the mean error that rounded weights and
 * rounded activations make on the calibration texts is taken off (Nagel et al., "Data-Free Quantization through Weight
 * Equalization and Bias Correction", ICCV 2019, in its form with data). Costs nothing at run time.
 *
 * @param matrix the layer's float weights, in the same form (divided or not) as the means.
 * @param means of each channel of the input.
 * @param roundedMeans the same after the way to bytes and back.
 */
export function correctBias(
  bias: Float32Array | undefined,
  matrix: WeightMatrix,
  weights: QuantizedWeights,
  means: Float64Array,
  roundedMeans: Float64Array,
): Float32Array {
  const { rows, columns, data } = matrix;
  const errors = new Float64Array(columns);
  for (let k = 0, at = 0; k < rows; k++) {
    const mean = means[k] as number;
    const roundedMean = roundedMeans[k] as number;
    for (let n = 0; n < columns; n++, at++) {
      const restored = (weights.values[at] as number) * (weights.scales[n] as number);
      errors[n] = (errors[n] as number) + mean * (data[at] as number) - roundedMean * restored;
    }
  }
  return Float32Array.from(errors, (error, n) => (bias?.[n] ?? 0) + error);
}
