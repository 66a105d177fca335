import type { ExampleSet } from "./example-set.ts";

/** What the sum over the n embeddings of a text is divided by: n, or its square root. */
export type Combiner = "mean" | "sqrtn";

/** A bag-of-embeddings classifier: logits = bias + sum of rows / divisor · projection. */
export interface BagModel {
  readonly buckets: number;
  readonly dimensions: number;
  readonly classes: number;
  readonly combiner: Combiner;
  /** `buckets * dimensions` values, row-major; row 0 (padding) is zeros. */
  readonly embeddings: Float32Array;
  /** `dimensions * classes` values, row-major. */
  readonly projection: Float32Array;
  /** `classes` values. */
  readonly bias: Float32Array;
}

/** 1 / divisor of a text with `count` ids. */
export function toCombinerFactor(combiner: Combiner, count: number): number {
  return 1 / (combiner === "mean" ? Math.max(count, 1) : Math.sqrt(Math.max(count, 1)));
}

/** Computes the `classes` logits of one text. The slow and simple counterpart of what a server runs. */
export function scoreIds(model: BagModel, ids: Int32Array): Float32Array {
  const { dimensions, classes, embeddings, projection } = model;
  const factor = toCombinerFactor(model.combiner, ids.length);
  const logits = Float64Array.from(model.bias);
  for (let d = 0; d < dimensions; d++) {
    let sum = 0;
    for (const id of ids) sum += embeddings[id * dimensions + d] ?? 0;
    for (let c = 0; c < classes; c++) {
      logits[c] = (logits[c] ?? 0) + sum * factor * (projection[d * classes + c] ?? 0);
    }
  }
  return Float32Array.from(logits);
}

/** The logits of every example, `size * classes` values, row-major. */
export function scoreExamples(model: BagModel, examples: ExampleSet): Float32Array {
  const logits = new Float32Array(examples.size * model.classes);
  for (let i = 0; i < examples.size; i++) {
    const ids = examples.ids.subarray(examples.offsets[i], examples.offsets[i + 1]);
    logits.set(scoreIds(model, ids), i * model.classes);
  }
  return logits;
}
