import { SluiceError } from "../../../core/errors.ts";
import type { NgramGraph } from "./ngram-graph.ts";
import { parseNgramGraph } from "./ngram-graph.ts";

/** An n-gram classifier in plain arithmetic: no native library, a few microseconds less per text than one. */
export interface NgramKernel {
  /** Ids are 0 … buckets - 1; id 0 is padding and counts for nothing. */
  readonly buckets: number;
  readonly classes: number;
  /**
   * The logits of one text, one float per label, within 1e-5 of ONNX Runtime on the same file.
   *
   * @throws SluiceError `model_failed` when an id is negative or not below `buckets`.
   */
  score(ids: Int32Array): Float32Array;
}

// The loops below read elements as `array[i] as number`: their indexes are inside by construction, the cast costs
// nothing, and a reading function shared by all of them would be slower, because it would see several array kinds.

/**
 * Projecting commutes with summing, so the projection is applied to every embedding row once, at load. A text then
 * costs `classes` additions per id instead of `dimensions`. Not worth it when that table would be larger than the
 * embeddings: rows of a table are read at random, so what counts is how much of it stays in the processor's cache.
 */
const MAX_FOLD_GROWTH = 1;

/**
 * Reads the bytes of a model file into a kernel.
 *
 * @returns undefined when the model is not an n-gram classifier of the form that
 * `model-tools/onnx/write-ngram-classifier.ts` writes; ONNX Runtime is for those.
 */
export function createNgramKernel(modelBytes: Uint8Array): NgramKernel | undefined {
  const graph = parseNgramGraph(modelBytes);
  if (graph === undefined) return undefined;
  const { buckets, classes } = graph;
  return { buckets, classes, score: createScore(graph) };
}

function createScore(graph: NgramGraph): NgramKernel["score"] {
  if (graph.dimensions === 1) return createNarrowScore(graph);
  if (graph.classes > MAX_FOLD_GROWTH * graph.dimensions) return createTwoStepScore(graph);
  const table = foldProjection(graph);
  return graph.classes === 2 ? createPairScore(graph, table) : createFoldedScore(graph, table);
}

/** `buckets * classes` values: every embedding row times the projection. */
function foldProjection(graph: NgramGraph): Float32Array {
  const { buckets, dimensions, classes, embeddings } = graph;
  const columns = transpose(graph.projection, dimensions, classes);
  const table = new Float32Array(buckets * classes);
  for (let row = 0; row < buckets; row++) {
    const start = row * dimensions;
    for (let c = 0; c < classes; c++) {
      const column = c * dimensions;
      let sum = 0;
      for (let d = 0; d < dimensions; d++) {
        sum += (embeddings[start + d] as number) * (columns[column + d] as number);
      }
      table[row * classes + c] = sum;
    }
  }
  return table;
}

function transpose(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    return matrix[(i % rows) * columns + Math.floor(i / rows)] as number;
  });
}

/** The common case, two labels: both sums live in registers. */
function createPairScore(graph: NgramGraph, table: Float32Array): NgramKernel["score"] {
  const { buckets, dividesByRoot } = graph;
  const [bias0 = 0, bias1 = 0] = graph.bias;
  return (ids) => {
    let sum0 = 0;
    let sum1 = 0;
    let count = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      // One comparison for both ends of the range: a negative id becomes a large unsigned number.
      if (id >>> 0 >= buckets) throwOutOfRange(id, buckets);
      sum0 += table[2 * id] as number;
      sum1 += table[2 * id + 1] as number;
      if (id !== 0) count++;
    }
    const factor = toFactor(count, dividesByRoot);
    const row = new Float32Array(2);
    row[0] = bias0 + sum0 * factor;
    row[1] = bias1 + sum1 * factor;
    return row;
  };
}

/** One dimension, as binary classifiers are trained: one number per id, projected once per text. */
function createNarrowScore(graph: NgramGraph): NgramKernel["score"] {
  const { buckets, classes, embeddings, projection, bias, dividesByRoot } = graph;
  return (ids) => {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i] as number;
      if (id >>> 0 >= buckets) throwOutOfRange(id, buckets);
      sum += embeddings[id] as number;
      if (id !== 0) count++;
    }
    const combined = sum * toFactor(count, dividesByRoot);
    const row = new Float32Array(classes);
    for (let c = 0; c < classes; c++) {
      row[c] = (bias[c] as number) + combined * (projection[c] as number);
    }
    return row;
  };
}

function createFoldedScore(graph: NgramGraph, table: Float32Array): NgramKernel["score"] {
  const { buckets, classes, bias, dividesByRoot } = graph;
  return (ids) => {
    const factor = toFactor(countIds(ids, buckets), dividesByRoot);
    const row = new Float32Array(classes);
    for (let c = 0; c < classes; c++) {
      row[c] = (bias[c] as number) + sumColumn(table, classes, c, ids) * factor;
    }
    return row;
  };
}

/** For many labels over few dimensions: sum the embeddings, then project the sum. */
function createTwoStepScore(graph: NgramGraph): NgramKernel["score"] {
  const { buckets, dimensions, classes, embeddings, bias, dividesByRoot } = graph;
  const columns = transpose(graph.projection, dimensions, classes);
  const sums = new Float64Array(dimensions);
  return (ids) => {
    const factor = toFactor(countIds(ids, buckets), dividesByRoot);
    for (let d = 0; d < dimensions; d++) sums[d] = sumColumn(embeddings, dimensions, d, ids);
    const row = new Float32Array(classes);
    for (let c = 0; c < classes; c++) {
      const column = c * dimensions;
      let sum = 0;
      for (let d = 0; d < dimensions; d++) {
        sum += (sums[d] as number) * (columns[column + d] as number);
      }
      row[c] = (bias[c] as number) + sum * factor;
    }
    return row;
  };
}

/** How many of the ids are not padding; checks the range of all of them. */
function countIds(ids: Int32Array, buckets: number): number {
  let count = 0;
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] as number;
    if (id >>> 0 >= buckets) throwOutOfRange(id, buckets);
    if (id !== 0) count++;
  }
  return count;
}

/**
 * Column by column, although the rows lie in memory: the one sum stays in a register, and the first column brings
 * the rows into the cache for all the others. Measured about twice as fast as adding row by row into an array.
 */
function sumColumn(table: Float32Array, width: number, column: number, ids: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < ids.length; i++) sum += table[(ids[i] as number) * width + column] as number;
  return sum;
}

function toFactor(count: number, dividesByRoot: boolean): number {
  const divisor = Math.max(count, 1);
  return 1 / (dividesByRoot ? Math.sqrt(divisor) : divisor);
}

function throwOutOfRange(id: number, buckets: number): never {
  throw new SluiceError(
    "model_failed",
    `The model knows ids from 0 to ${buckets - 1}; the text holds ${id}. Tokenizer and model do not belong together.`,
  );
}
