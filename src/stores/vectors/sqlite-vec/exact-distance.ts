import type { VectorMetric } from "../../../core/ports/vector-store.ts";

/**
 * How far `vector` is from `query`, smaller is nearer, summed in 64-bit numbers so that nothing overflows: 1 minus the
 * cosine, the negative dot product, or the Euclidean distance.
 */
export function computeDistance(
  metric: VectorMetric,
  vector: Float32Array,
  query: Float32Array,
): number {
  if (metric === "dot") return -sumProducts(vector, query);
  if (metric === "cosine") {
    const lengths = Math.sqrt(sumProducts(vector, vector)) * Math.sqrt(sumProducts(query, query));
    return 1 - sumProducts(vector, query) / lengths;
  }
  let sum = 0;
  for (let i = 0; i < vector.length; i++) {
    const difference = (vector[i] ?? 0) - (query[i] ?? 0);
    sum += difference * difference;
  }
  return Math.sqrt(sum);
}

/** The square of the vector's length. */
export function sumSquares(vector: Float32Array): number {
  return sumProducts(vector, vector);
}

/** Four sums at a time, which do not wait for each other. */
function sumProducts(a: Float32Array, b: Float32Array): number {
  let [first, second, third, fourth] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    first += (a[i] ?? 0) * (b[i] ?? 0);
    second += (a[i + 1] ?? 0) * (b[i + 1] ?? 0);
    third += (a[i + 2] ?? 0) * (b[i + 2] ?? 0);
    fourth += (a[i + 3] ?? 0) * (b[i + 3] ?? 0);
  }
  for (; i < a.length; i++) first += (a[i] ?? 0) * (b[i] ?? 0);
  return first + second + third + fourth;
}
