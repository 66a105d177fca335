import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterAll, expect, test } from "vitest";
import { ModelProtoSchema } from "../../generated/onnx_pb.ts";
import type { EncoderConfig, EncoderHead } from "./encoder-config.ts";
import { buildEncoderModel } from "./encoder-graph.ts";
import type { WeightReader } from "./encoder-weights.ts";
import { readOnnx } from "./read-onnx.ts";
import { createSeededWeights } from "./seeded-weights.ts";

const config: EncoderConfig = {
  vocabSize: 50,
  hiddenSize: 8,
  layers: 2,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 12,
  typeVocabSize: 2,
  layerNormEpsilon: 1e-12,
};
const classification: EncoderHead = { kind: "classification", labels: 3 };
const hiddenStates: EncoderHead = { kind: "hidden-states" };
const texts = [
  [2, 17, 33, 9, 3],
  [2, 4, 3],
  [2, 49, 48, 47, 46, 45, 44, 3],
];

const folder = mkdtempSync(join(tmpdir(), "sluice-encoder-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Weights of a size at which a mistake anywhere shows in the output. */
function createLoudWeights(head: EncoderHead): WeightReader {
  const read = createSeededWeights(config, head, 7);
  return (name) => {
    const tensor = read(name);
    if (tensor === undefined || name.includes("LayerNorm.weight")) return tensor;
    return { shape: tensor.shape, values: tensor.values.map((value) => value * 25) };
  };
}

/** The rows of the first output, flattened; `segments` marks the second half of every text as another segment. */
async function run(head: EncoderHead, batch: readonly number[][], minimumLength = 0) {
  const model = buildEncoderModel({ config, head, weights: createLoudWeights(head) });
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model), {
    logSeverityLevel: 4,
  });
  const length = Math.max(minimumLength, ...batch.map((ids) => ids.length));
  const toInput = (toValue: (ids: readonly number[], at: number) => number) =>
    new Tensor(
      "int64",
      BigInt64Array.from(
        batch.flatMap((ids) => Array.from({ length }, (_, at) => BigInt(toValue(ids, at)))),
      ),
      [batch.length, length],
    );
  const outputs = await session.run({
    input_ids: toInput((ids, at) => ids[at] ?? 0),
    attention_mask: toInput((ids, at) => (at < ids.length ? 1 : 0)),
    token_type_ids: toInput(toSegment),
  });
  const output = outputs[head.kind === "classification" ? "logits" : "last_hidden_state"];
  await session.release();
  const data = output?.data as Float32Array;
  const size = data.length / batch.length;
  return { rows: batch.map((_, i) => data.slice(i * size, (i + 1) * size)), dims: output?.dims };
}

function toSegment(ids: readonly number[], at: number): number {
  return at < ids.length && at >= ids.length / 2 ? 1 : 0;
}

function expectClose(actual: Float32Array, expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] ?? Infinity))));
  expect(worst).toBeLessThan(tolerance);
}

test("a classifier computes what the definition of BERT says", async () => {
  const { rows, dims } = await run(classification, texts);
  expect(dims).toEqual([3, 3]);
  for (const [i, ids] of texts.entries()) {
    const expected = computeLogits(ids, createLoudWeights(classification));
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.1);
    expectClose(rows[i] as Float32Array, expected, 1e-4);
  }
});

test("without a head, the vectors of all tokens come out", async () => {
  const { rows, dims } = await run(hiddenStates, texts);
  expect(dims).toEqual([3, 8, 8]);
  for (const [i, ids] of texts.entries()) {
    const expected = computeHidden(ids, createLoudWeights(hiddenStates)).flat();
    expectClose((rows[i] as Float32Array).subarray(0, expected.length), expected, 1e-4);
  }
});

test("a text gets the same bits alone and in a batch, and padding does not change its scores", async () => {
  const batch = await run(classification, texts);
  for (const [i, ids] of texts.entries()) {
    const equallyLong = await run(classification, [ids], 8);
    expect(equallyLong.rows[0]).toEqual(batch.rows[i]);
    const unpadded = await run(classification, [ids]);
    expectClose(unpadded.rows[0] as Float32Array, [...(batch.rows[i] ?? [])], 1e-6);
  }
});

test("a text of which nothing is left has scores nevertheless", async () => {
  const { rows } = await run(classification, [[], [2, 3]]);
  expect(rows[0]?.every(Number.isFinite)).toBe(true);
});

test("ONNX Runtime's optimizer joins every Gelu into one operator", async () => {
  const model = buildEncoderModel({
    config,
    head: classification,
    weights: createLoudWeights(classification),
  });
  const optimizedModelFilePath = join(folder, "optimized.onnx");
  const session = await InferenceSession.create(toBinary(ModelProtoSchema, model), {
    graphOptimizationLevel: "all",
    optimizedModelFilePath,
    logSeverityLevel: 4,
  });
  await session.release();
  const nodes = readOnnx(await readFile(optimizedModelFilePath)).graph?.node ?? [];
  const operators = nodes.map(({ opType }) => opType);
  expect(operators).not.toContain("Erf");
  expect(operators.filter((operator) => /Gelu$/.test(operator))).toHaveLength(config.layers);
});

test("names without a prefix and names of older checkpoints are read too", () => {
  const read = createLoudWeights(classification);
  const known = buildEncoderModel({ config, head: classification, weights: read });
  const older: WeightReader = (name) => {
    if (name.startsWith("bert.") || /LayerNorm\.(weight|bias)$/.test(name)) return undefined;
    return read(name.replace(/gamma$/, "weight").replace(/beta$/, "bias"));
  };
  expect(buildEncoderModel({ config, head: classification, weights: older })).toEqual(known);
});

test("missing weights and weights of another shape are named together", () => {
  const read = createLoudWeights(classification);
  const weights: WeightReader = (name) => {
    if (name.endsWith("layer.1.output.dense.bias")) return undefined;
    if (!name.endsWith("classifier.weight")) return read(name);
    return { shape: [8, 3], values: new Float32Array(24) };
  };
  expect(() => buildEncoderModel({ config, head: classification, weights })).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      details: [
        { field: "encoder.layer.1.output.dense.bias", problem: "must be [8]; found nothing" },
        {
          field: "classifier.weight",
          problem: "must be [3, 8]; found [8, 3] with 24 values",
        },
      ],
    }),
  );
});

test("sizes that cannot be are refused", () => {
  const weights = createLoudWeights(hiddenStates);
  for (const change of [{ heads: 3 }, { layers: 0 }, { layerNormEpsilon: 0 }]) {
    expect(() =>
      buildEncoderModel({ config: { ...config, ...change }, head: hiddenStates, weights }),
    ).toThrow("Impossible encoder");
  }
});

// The definition again, one vector at a time and in double precision, from weights as Hugging Face keeps them.

type Vector = readonly number[];

function computeLogits(ids: readonly number[], read: WeightReader): Vector {
  const [first = []] = computeHidden(ids, read);
  const pooled = linear(read, "bert.pooler.dense", first).map(Math.tanh);
  return linear(read, "classifier", pooled);
}

function computeHidden(ids: readonly number[], read: WeightReader): Vector[] {
  let hidden = ids.map((id, position) => {
    const word = row(read, "bert.embeddings.word_embeddings.weight", id);
    const place = row(read, "bert.embeddings.position_embeddings.weight", position);
    const type = row(
      read,
      "bert.embeddings.token_type_embeddings.weight",
      toSegment(ids, position),
    );
    const sum = word.map((value, i) => value + (place[i] ?? NaN) + (type[i] ?? NaN));
    return normalize(read, "bert.embeddings.LayerNorm", sum);
  });
  for (let layer = 0; layer < config.layers; layer++) {
    hidden = computeLayer(`bert.encoder.layer.${layer}`, hidden, read);
  }
  return hidden;
}

function computeLayer(layer: string, hidden: readonly Vector[], read: WeightReader): Vector[] {
  const { heads, hiddenSize } = config;
  const size = hiddenSize / heads;
  const project = (part: string) =>
    hidden.map((vector) => linear(read, `${layer}.attention.self.${part}`, vector));
  const [queries, keys, values] = [project("query"), project("key"), project("value")];
  return hidden.map((input, token) => {
    const context = Array.from({ length: heads }, (_, head) => {
      const cut = (vector: Vector) => vector.slice(head * size, (head + 1) * size);
      const query = cut(queries[token] ?? []);
      const exponents = keys.map((key) => Math.exp(dot(query, cut(key)) / Math.sqrt(size)));
      const total = exponents.reduce((sum, value) => sum + value, 0);
      return Array.from({ length: size }, (__, i) =>
        values.reduce(
          (sum, value, other) => sum + ((exponents[other] ?? NaN) / total) * (cut(value)[i] ?? NaN),
          0,
        ),
      );
    }).flat();
    const mixed = linear(read, `${layer}.attention.output.dense`, context);
    const attended = normalize(
      read,
      `${layer}.attention.output.LayerNorm`,
      mixed.map((value, i) => value + (input[i] ?? NaN)),
    );
    const wide = linear(read, `${layer}.intermediate.dense`, attended).map(gelu);
    const narrow = linear(read, `${layer}.output.dense`, wide);
    return normalize(
      read,
      `${layer}.output.LayerNorm`,
      narrow.map((value, i) => value + (attended[i] ?? NaN)),
    );
  });
}

function row(read: WeightReader, name: string, index: number): Vector {
  const tensor = read(name);
  const columns = tensor?.shape[1] ?? 0;
  return [...(tensor?.values.subarray(index * columns, (index + 1) * columns) ?? [])];
}

function linear(read: WeightReader, name: string, input: Vector): Vector {
  const bias = read(`${name}.bias`)?.values ?? new Float32Array();
  return [...bias].map((value, out) => value + dot(row(read, `${name}.weight`, out), input));
}

function normalize(read: WeightReader, name: string, input: Vector): Vector {
  const mean = input.reduce((sum, value) => sum + value, 0) / input.length;
  const variance = input.reduce((sum, value) => sum + (value - mean) ** 2, 0) / input.length;
  const scale = read(`${name}.weight`)?.values;
  const shift = read(`${name}.bias`)?.values;
  return input.map(
    (value, i) =>
      ((value - mean) / Math.sqrt(variance + config.layerNormEpsilon)) * (scale?.[i] ?? NaN) +
      (shift?.[i] ?? NaN),
  );
}

function dot(a: Vector, b: Vector): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? NaN), 0);
}

function gelu(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** Taylor series, which loses its digits where the function is 1 to within 2e-8 anyway. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
