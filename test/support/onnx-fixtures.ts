import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TensorProto_DataType } from "../../src/generated/onnx_pb.ts";
import type { NgramClassifierWeights } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import {
  createFloatTensor,
  createInt64Tensor,
  createNode,
  createValueInfo,
  writeOnnx,
} from "../../src/model-tools/onnx/write-onnx.ts";

export interface RandomNgramOptions {
  /** The same seed gives the same weights. */
  readonly seed: number;
  readonly buckets: number;
  readonly dimensions: number;
  readonly classes: number;
  readonly combiner: "mean" | "sqrtn";
  readonly quantized: boolean;
}

/** Weights of an n-gram classifier that learned nothing; logits are mostly between -3 and 3. */
export function createRandomNgramWeights(options: RandomNgramOptions): NgramClassifierWeights {
  const { seed, buckets, dimensions, classes, combiner, quantized } = options;
  const random = createRandom(seed);
  const table = randomFloats(random, buckets * dimensions);
  table.fill(0, 0, dimensions);
  const embeddings = quantized
    ? {
        values: Int8Array.from(table, (value) => Math.round(value * 127)),
        rowScales: randomFloats(random, buckets).map((value) => Math.abs(value) / 127),
      }
    : table;
  const projection = randomFloats(random, dimensions * classes);
  const bias = randomFloats(random, classes);
  return { buckets, dimensions, classes, combiner, embeddings, projection, bias };
}

export interface SlowClassifierOptions {
  readonly seed?: number;
  /** Ids are 0 … buckets - 1; 0 is padding. */
  readonly buckets?: number;
  readonly classes?: number;
  /** Run time grows in proportion: about 0.05 ms per layer and text on one core of a server of 2024. */
  readonly layers?: number;
}

/** Width of a layer and rows that go through it per text; together they make a layer cost 4.2 million operations. */
const SLOW_WIDTH = 256;
const SLOW_ROWS = 32;

/**
 * A model with the interface of every classifier (`ids` → `logits`) that is slow on purpose: every text goes through
 * a chain of matrix products, so a batch of n texts takes n times as long as one, whatever their lengths. With the
 * default of 120 layers, some 5 to 10 ms a text. Its logits depend on the ids and are finite.
 */
export function writeSlowClassifier(options: SlowClassifierOptions = {}): Uint8Array {
  const { seed = 1, buckets = 1024, classes = 2, layers = 120 } = options;
  const random = createRandom(seed);
  const embeddings = randomFloats(random, buckets * SLOW_WIDTH);
  embeddings.fill(0, 0, SLOW_WIDTH);
  // Keeps the spread of the values about the same from layer to layer.
  const spread = Math.sqrt(3 / SLOW_WIDTH);
  const weights = randomFloats(random, SLOW_WIDTH * SLOW_WIDTH).map((value) => value * spread);
  const chain = Array.from({ length: layers }, (_, layer) => [
    createNode("MatMul", [`hidden_${layer}`, "weights"], `product_${layer}`),
    createNode("Tanh", [`product_${layer}`], `hidden_${layer + 1}`),
  ]).flat();
  return writeOnnx({
    name: "slow-classifier",
    inputs: [createValueInfo("ids", TensorProto_DataType.INT64, ["batch", "length"])],
    outputs: [createValueInfo("logits", TensorProto_DataType.FLOAT, ["batch", classes])],
    initializers: [
      createFloatTensor("embeddings", [buckets, SLOW_WIDTH], embeddings),
      createInt64Tensor("length_axis", [1], BigInt64Array.of(1n)),
      createFloatTensor("row_weights", [1, SLOW_ROWS, 1], randomFloats(random, SLOW_ROWS)),
      createFloatTensor("weights", [SLOW_WIDTH, SLOW_WIDTH], weights),
      createFloatTensor(
        "projection",
        [SLOW_WIDTH, classes],
        randomFloats(random, SLOW_WIDTH * classes),
      ),
    ],
    nodes: [
      createNode("Gather", ["embeddings", "ids"], "looked_up"),
      createNode("ReduceSum", ["looked_up", "length_axis"], "summed", { keepdims: 1 }),
      createNode("Mul", ["summed", "row_weights"], "hidden_0"),
      ...chain,
      createNode("ReduceSum", [`hidden_${layers}`, "length_axis"], "pooled", { keepdims: 0 }),
      createNode("MatMul", ["pooled", "projection"], "logits"),
    ],
    metadata: {},
  });
}

/**
 * A classifier that answers most texts, and fails for those whose ids add up to `remainder` modulo 7: it looks in a table of
 * one row for a second one.
 */
export function writeFragileClassifier(remainder: number, buckets = 1024): Uint8Array {
  const classes = 2;
  const random = createRandom(1);
  return writeOnnx({
    name: "fragile-classifier",
    inputs: [createValueInfo("ids", TensorProto_DataType.INT64, ["batch", "length"])],
    outputs: [createValueInfo("logits", TensorProto_DataType.FLOAT, ["batch", classes])],
    initializers: [
      createFloatTensor("embeddings", [buckets, classes], randomFloats(random, buckets * classes)),
      createInt64Tensor("length_axis", [1], BigInt64Array.of(1n)),
      createInt64Tensor("modulus", [1], BigInt64Array.of(7n)),
      createInt64Tensor("remainder", [1], BigInt64Array.of(BigInt(remainder))),
      createFloatTensor("one_row", [1, classes], new Float32Array(classes)),
    ],
    nodes: [
      createNode("Gather", ["embeddings", "ids"], "looked_up"),
      createNode("ReduceSum", ["looked_up", "length_axis"], "summed", { keepdims: 0 }),
      createNode("ReduceSum", ["ids", "length_axis"], "id_sum", { keepdims: 0 }),
      createNode("Mod", ["id_sum", "modulus"], "rest"),
      createNode("Equal", ["rest", "remainder"], "is_fatal"),
      createNode("Cast", ["is_fatal"], "row", { to: TensorProto_DataType.INT64 }),
      createNode("Gather", ["one_row", "row"], "nothing"),
      createNode("Add", ["summed", "nothing"], "logits"),
    ],
    metadata: {},
  });
}

/** A model file in a folder of its own. `remove` deletes both. */
export async function writeModelFile(
  bytes: Uint8Array,
): Promise<{ path: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "sluice-model-"));
  const path = join(folder, "model.onnx");
  await writeFile(path, bytes);
  return { path, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Random texts of 1 to `maxLength` ids between 1 and `buckets` - 1. */
export function createRandomTexts(
  seed: number,
  options: { readonly count: number; readonly maxLength: number; readonly buckets: number },
): Int32Array[] {
  const random = createRandom(seed);
  const pick = (below: number) => Math.floor(random() * below);
  return Array.from({ length: options.count }, () => {
    const length = 1 + pick(options.maxLength);
    return Int32Array.from({ length }, () => 1 + pick(options.buckets - 1));
  });
}

function randomFloats(random: () => number, length: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, () => 2 * random() - 1);
}

/**
 * Numbers from 0 to below 1, the same for the same seed: a linear congruential generator modulo 2^32 with the
 * constants of Numerical Recipes, whose high bits are random enough for test weights.
 */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
