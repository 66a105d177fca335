import { expect, test } from "vitest";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { readOnnx } from "./read-onnx.ts";
import type { NgramClassifierWeights } from "./write-ngram-classifier.ts";
import { writeNgramClassifier } from "./write-ngram-classifier.ts";

const weights: NgramClassifierWeights = {
  buckets: 3,
  dimensions: 2,
  classes: 2,
  combiner: "mean",
  embeddings: Float32Array.of(0, 0, 1, 2, 3, 4),
  projection: Float32Array.of(1, 0, 0, 1),
  bias: Float32Array.of(0.5, -0.5),
};
const quantized = {
  values: Int8Array.of(0, 0, 1, 2, 3, 4),
  rowScales: Float32Array.of(1, 1, 1),
};

function readMetadata(bytes: Uint8Array): Record<string, string> {
  return Object.fromEntries(readOnnx(bytes).metadataProps.map(({ key, value }) => [key, value]));
}

test("the metadata says what the graph is", () => {
  expect(readMetadata(writeNgramClassifier(weights))).toEqual({
    "sluice.graph": "ngram-classifier",
    "sluice.graph_version": "1",
    "sluice.combiner": "mean",
    "sluice.buckets": "3",
    "sluice.dimensions": "2",
    "sluice.classes": "2",
  });
});

test("the same weights give the same bytes", () => {
  expect(writeNgramClassifier(weights)).toEqual(writeNgramClassifier(structuredClone(weights)));
});

test("a weight array that is a view of a larger one is written without its surroundings", () => {
  const surrounded = Float32Array.of(9, 9, ...(weights.embeddings as Float32Array), 9);
  const embeddings = surrounded.subarray(2, 8);
  expect(writeNgramClassifier({ ...weights, embeddings })).toEqual(writeNgramClassifier(weights));
});

test("quantized embeddings take a quarter of the room", () => {
  const graph = readOnnx(writeNgramClassifier({ ...weights, embeddings: quantized })).graph;
  const table = graph?.initializer.find(({ name }) => name === "embeddings");
  expect(table).toMatchObject({ dataType: TensorProto_DataType.INT8, dims: [3n, 2n] });
  expect(table?.rawData).toHaveLength(6);
});

test("every array of a wrong length is named in one error", () => {
  const wrong = {
    ...weights,
    projection: new Float32Array(3),
    bias: new Float32Array(1),
    embeddings: { values: new Int8Array(5), rowScales: new Float32Array(2) },
  };
  expect(() => writeNgramClassifier(wrong)).toThrow(
    expect.objectContaining({
      code: "invalid_argument",
      details: [
        { field: "embeddings", problem: "must hold 6 values; found 5" },
        { field: "rowScales", problem: "must hold 3 values; found 2" },
        { field: "projection", problem: "must hold 4 values; found 3" },
        { field: "bias", problem: "must hold 2 values; found 1" },
      ],
    }),
  );
});

const refused: readonly [string, Partial<NgramClassifierWeights>, string][] = [
  ["a padding row that is not zeros", { embeddings: new Float32Array(6).fill(1) }, "row 0"],
  ["a weight that is no number", { bias: Float32Array.of(0, Number.NaN) }, "finite"],
  ["a single class", { classes: 1 }, "classes must be a whole number ≥ 2; found 1"],
  ["half a dimension", { dimensions: 0.5 }, "dimensions must be a whole number ≥ 1"],
  ["a table without any id", { buckets: 1 }, "buckets must be a whole number ≥ 2"],
];
for (const [what, change, message] of refused) {
  test(`${what} is refused`, () => {
    expect(() => writeNgramClassifier({ ...weights, ...change })).toThrow(message);
  });
}
