import type { ExampleSet } from "./example-set.ts";

/** Added to every count, so that features seen with one label only stay finite. */
const SMOOTHING = 1;
/** Floor under every scale: features that look neutral alone may still learn a weight. */
const SMALLEST_SCALE = 0.3;

/**
 * How much each feature may move: its largest absolute log-count ratio between one label and all others, as in
 * NB-SVM (Wang and Manning, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", ACL 2012). The
 * model learns weights in units of these scales, so that under equal regularization telling features are used first.
 *
 * @returns one factor per bucket.
 */
export function computeFeatureScales(
  examples: ExampleSet,
  buckets: number,
  classes: number,
): Float32Array {
  const counts = countFeatures(examples, buckets, classes);
  const labelTotals = new Float64Array(classes);
  const featureTotals = new Float64Array(buckets);
  for (let c = 0; c < classes; c++) {
    for (let id = 0; id < buckets; id++) {
      const count = counts[c * buckets + id] as number;
      labelTotals[c] = (labelTotals[c] as number) + count;
      featureTotals[id] = (featureTotals[id] as number) + count;
    }
  }
  const total = labelTotals.reduce((sum, count) => sum + count, 0);
  const smoothingTotal = SMOOTHING * buckets;
  return Float32Array.from({ length: buckets }, (_, id) => {
    let scale = 0;
    for (let c = 0; c < classes; c++) {
      const count = counts[c * buckets + id] as number;
      const inside = (count + SMOOTHING) / ((labelTotals[c] as number) + smoothingTotal);
      const others = (featureTotals[id] as number) - count;
      const outside = (others + SMOOTHING) / (total - (labelTotals[c] as number) + smoothingTotal);
      scale = Math.max(scale, Math.abs(Math.log(inside / outside)));
    }
    return scale + SMALLEST_SCALE;
  });
}

/** `classes * buckets` weighted counts: label by label, how much weight the feature came with. */
function countFeatures(examples: ExampleSet, buckets: number, classes: number): Float32Array {
  const counts = new Float32Array(classes * buckets);
  for (let i = 0; i < examples.size; i++) {
    const start = (examples.labels[i] as number) * buckets;
    const end = examples.offsets[i + 1] as number;
    for (let at = examples.offsets[i] as number; at < end; at++) {
      const slot = start + (examples.ids[at] as number);
      counts[slot] = (counts[slot] as number) + (examples.weights[i] as number);
    }
  }
  return counts;
}
