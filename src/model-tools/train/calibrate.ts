import type { BagModel } from "./bag-model.ts";
import { scoreExamples } from "./bag-model.ts";
import type { ExampleSet } from "./example-set.ts";
import { computeCrossEntropy } from "./softmax.ts";

const COLDEST_LOG2 = -4;
const HOTTEST_LOG2 = 4;
const STEPS = 40;
const GOLDEN_SECTION = (Math.sqrt(5) - 1) / 2;

/**
 * Finds the one number to divide all logits by so that the confidences fit held-out examples (temperature scaling; Guo
 * et al., "On Calibration of Modern Neural Networks", ICML 2017). The loss has a single minimum in the temperature, so
 * a golden-section search finds it, here between 1/16 and 16.
 *
 * @returns 1 when there are no held-out examples.
 */
export function findTemperature(model: BagModel, heldOut: ExampleSet): number {
  if (heldOut.size === 0) return 1;
  const logits = scoreExamples(model, heldOut);
  const lossAt = (log2: number) =>
    computeCrossEntropy(logits, heldOut.labels, heldOut.weights, 2 ** log2);
  let low = COLDEST_LOG2;
  let high = HOTTEST_LOG2;
  for (let step = 0; step < STEPS; step++) {
    const span = (high - low) * GOLDEN_SECTION;
    if (lossAt(high - span) < lossAt(low + span)) high = low + span;
    else low = high - span;
  }
  return 2 ** ((low + high) / 2);
}

/** The same model with all logits divided by `temperature`; it predicts the same labels. */
export function applyTemperature(model: BagModel, temperature: number): BagModel {
  return {
    ...model,
    projection: model.projection.map((value) => value / temperature),
    bias: model.bias.map((value) => value / temperature),
  };
}
