import type { QuantizedEmbeddings } from "../onnx/write-ngram-classifier.ts";

const LARGEST = 127;
/** Smallest float of full precision. Scales below would be too coarse; rows that small say nothing anyway. */
const SMALLEST_SCALE = 2 ** -126;

/**
 * Stores every row as 8-bit whole numbers and one scale (symmetric, largest magnitude = 127). The error per value is at
 * most half a scale. Rows of zeros, and of values below 1e-35, become
 * zeros with scale 0.
 */
export function quantizeRows(embeddings: Float32Array, dimensions: number): QuantizedEmbeddings {
  const rows = embeddings.length / dimensions;
  const values = new Int8Array(embeddings.length);
  const rowScales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * dimensions;
    let largest = 0;
    for (let at = start; at < start + dimensions; at++) {
      largest = Math.max(largest, Math.abs(embeddings[at] as number));
    }
    const scale = Math.fround(largest / LARGEST);
    if (scale < SMALLEST_SCALE) continue;
    rowScales[row] = scale;
    for (let at = start; at < start + dimensions; at++) {
      values[at] = Math.round((embeddings[at] as number) / scale);
    }
  }
  return { values, rowScales };
}
