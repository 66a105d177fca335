import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { GraphProto } from "../../generated/onnx_pb.ts";
import { GraphProtoSchema, TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { MINILM_CONFIG } from "./encoder-config.ts";
import { buildEncoderModel } from "./encoder-graph.ts";
import { listEncoderWeights } from "./encoder-weights.ts";
import { estimateCost, toMultiplyAdds } from "./estimate-cost.ts";
import { readOnnx } from "./read-onnx.ts";
import type { NgramClassifierWeights } from "./write-ngram-classifier.ts";
import { writeNgramClassifier } from "./write-ngram-classifier.ts";
import { createFloatTensor, createInt8Tensor, createNode, createValueInfo } from "./write-onnx.ts";

const config = { ...MINILM_CONFIG, vocabSize: 10 };
const { hiddenSize, intermediateSize, layers } = config;
const perToken = layers * (4 * hiddenSize ** 2 + 2 * hiddenSize * intermediateSize);

function buildGraph(): GraphProto {
  const head = { kind: "classification", labels: 3 } as const;
  const shapes = new Map(listEncoderWeights(config, head).map(({ name, shape }) => [name, shape]));
  const weights = (name: string) => {
    const shape = shapes.get(name);
    if (shape === undefined) return undefined;
    return { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
  };
  return buildEncoderModel({ config, head, weights }).graph ?? create(GraphProtoSchema);
}

test("an encoder costs its matrices per token, its head per text, and its attention per pair", () => {
  const cost = estimateCost(buildGraph());
  expect(cost).toEqual({
    perToken,
    perText: hiddenSize ** 2 + 3 * hiddenSize,
    perPair: 2 * hiddenSize * layers,
  });
  expect(cost && toMultiplyAdds(cost, 16)).toEqual({
    weights: 16 * perToken + hiddenSize ** 2 + 3 * hiddenSize,
    attention: 2 * hiddenSize * layers * 256,
  });
});

test("a quantized matrix costs what the float one did, behind DequantizeLinear too", () => {
  const type = createValueInfo("input_ids", TensorProto_DataType.INT64, ["batch", "sequence"]);
  const graph = create(GraphProtoSchema, {
    input: [type],
    initializer: [
      createFloatTensor("table", [7, 4], new Float32Array(28)),
      createInt8Tensor("bytes", [4, 6], new Int8Array(24)),
    ],
    node: [
      createNode("Gather", ["table", "input_ids"], "words"),
      createNode("DequantizeLinear", ["bytes", "scale", "zero"], "matrix"),
      createNode("MatMul", ["words", "matrix"], "product"),
      createNode("QuantizeLinear", ["words", "scale", "zero"], "quantized"),
      createNode("MatMulIntegerToFloat", ["quantized", "bytes", "scale", "scale"], "second"),
      createNode("ReduceMean", ["product"], "pooled", { axes: [1] }),
      createNode("MatMul", ["pooled", "matrix"], "third"),
    ],
  });
  expect(estimateCost(graph)).toEqual({ perToken: 48, perText: 24, perPair: 0 });
});

test("an n-gram classifier costs its projection, once per text", () => {
  const weights: NgramClassifierWeights = {
    buckets: 3,
    dimensions: 2,
    classes: 2,
    combiner: "mean",
    embeddings: new Float32Array(6),
    projection: new Float32Array(4),
    bias: new Float32Array(2),
  };
  const { graph } = readOnnx(writeNgramClassifier(weights));
  expect(graph && estimateCost(graph)).toEqual({ perToken: 0, perText: 4, perPair: 0 });
});

test("a model without tokens has no estimate", () => {
  const image = createValueInfo("image", TensorProto_DataType.FLOAT, ["n", 3, 224, 224]);
  expect(estimateCost(create(GraphProtoSchema, { input: [image] }))).toBeUndefined();
});
