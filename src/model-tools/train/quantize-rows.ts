import type { QuantizedEmbeddings } from "../onnx/write-ngram-classifier.ts";

const LARGEST = 127;

/**
 * Stores every row as 8-bit whole numbers and one scale (symmetric, largest magnitude = 127). The error per value is at
 * most half a scale. Rows of zeros keep scale 0.
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
    if (largest === 0) continue;
    const scale = Math.fround(largest / LARGEST);
    rowScales[row] = scale;
    for (let at = start; at < start + dimensions; at++) {
      values[at] = Math.round((embeddings[at] as number) / scale);
    }
  }
  return { values, rowScales };
}
