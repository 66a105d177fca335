import type { TrainingExample } from "./example-set.ts";

/**
 * Changes the weights so that every label weighs the same in total while the sum over all examples stays. Weights within
 * a label keep their proportions.
 */
export function balanceWeights<Example extends TrainingExample>(
  examples: readonly Example[],
): Example[] {
  const totals = new Map<number, number>();
  let total = 0;
  for (const { label, weight } of examples) {
    totals.set(label, (totals.get(label) ?? 0) + weight);
    total += weight;
  }
  const share = total / totals.size;
  return examples.map((example) => ({
    ...example,
    weight: (example.weight * share) / (totals.get(example.label) ?? share),
  }));
}
