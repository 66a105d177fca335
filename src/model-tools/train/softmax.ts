/** Replaces the logits by probabilities that sum to 1. Shifted by the largest, so that nothing overflows. */
export function softmaxInPlace(logits: Float64Array): void {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (let c = 0; c < logits.length; c++) {
    const power = Math.exp((logits[c] as number) - largest);
    logits[c] = power;
    sum += power;
  }
  for (let c = 0; c < logits.length; c++) logits[c] = (logits[c] as number) / sum;
}

/**
 * Weighted mean of −log p(true label).
 *
 * @param logits `labels.length * classes` values, row-major.
 * @param temperature divides the logits first.
 */
export function computeCrossEntropy(
  logits: Float32Array,
  labels: Int32Array,
  weights: Float32Array,
  temperature = 1,
): number {
  const classes = logits.length / labels.length;
  const row = new Float64Array(classes);
  let loss = 0;
  let total = 0;
  labels.forEach((label, i) => {
    for (let c = 0; c < classes; c++) row[c] = (logits[i * classes + c] as number) / temperature;
    softmaxInPlace(row);
    const weight = weights[i] ?? 1;
    loss -= weight * Math.log(Math.max(row[label] ?? 0, 1e-12));
    total += weight;
  });
  return total === 0 ? 0 : loss / total;
}
