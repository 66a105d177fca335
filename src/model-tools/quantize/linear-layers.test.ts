import { expect, test } from "vitest";
import { createSmallEncoder, SMALL_ENCODER } from "../../../test/support/small-encoder.ts";
import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import { TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { createFloatTensor, createModel, createNode, createValueInfo } from "../onnx/write-onnx.ts";
import { findLinearLayers } from "./linear-layers.ts";

const { hiddenSize, intermediateSize, layers } = SMALL_ENCODER;

/** A graph of `nodes` over a [2, 3] weight `w`, a bias `b` of 3, and whatever else they name. */
function createGraph(nodes: NodeProto[], output = "y"): GraphProto {
  const { FLOAT } = TensorProto_DataType;
  const model = createModel({
    name: "test",
    inputs: [createValueInfo("x", FLOAT, ["batch", 2])],
    outputs: [createValueInfo(output, FLOAT, ["batch", 3])],
    initializers: [
      createFloatTensor("w", [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
      createFloatTensor("b", [3], Float32Array.of(7, 8, 9)),
      createFloatTensor("gamma", [3], Float32Array.of(1, 1, 1)),
    ],
    nodes,
    metadata: {},
  });
  return model.graph as GraphProto;
}

const normalize = (from: string) => createNode("LayerNormalization", [from, "gamma"], "y");

test("an encoder has six layers per block, in the order of the graph, with their biases", () => {
  const graph = createSmallEncoder().graph as GraphProto;
  const found = findLinearLayers(graph);
  expect(found).toHaveLength(6 * layers);
  expect(found.every(({ addition, bias }) => addition !== undefined && bias !== undefined)).toBe(
    true,
  );
  expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
  const sizes = found.slice(0, 6).map(({ matrix }) => [matrix.rows, matrix.columns]);
  expect(sizes).toEqual([
    ...Array.from({ length: 4 }, () => [hiddenSize, hiddenSize]),
    [hiddenSize, intermediateSize],
    [intermediateSize, hiddenSize],
  ]);
});

test("query, key and value read the same input", () => {
  const inputs = findLinearLayers(createSmallEncoder().graph as GraphProto).map(
    ({ input }) => input,
  );
  expect(new Set(inputs.slice(0, 3)).size).toBe(1);
  expect(new Set(inputs).size).toBe(4 * layers);
});

test("pooler and classifier are the head and stay out", () => {
  const graph = createSmallEncoder().graph as GraphProto;
  const weights = findLinearLayers(graph).map(({ weightName }) => weightName);
  expect(graph.initializer.some(({ name }) => name === "pooler.dense.weight")).toBe(true);
  expect(weights.some((name) => /pooler|classifier/.test(name))).toBe(false);
});

test("a model that ends in a normalization has no head", () => {
  const graph = createSmallEncoder({ kind: "hidden-states" }).graph as GraphProto;
  expect(findLinearLayers(graph)).toHaveLength(6 * layers);
});

test("a Gemm is a layer; a transposed weight is turned", () => {
  const turned = createGraph([
    createNode("Gemm", ["x", "w", "b"], "h", { transB: 1 }),
    normalize("h"),
  ]);
  turned.initializer[0] = createFloatTensor("w", [3, 2], Float32Array.of(1, 4, 2, 5, 3, 6));
  for (const graph of [
    createGraph([createNode("Gemm", ["x", "w", "b"], "h"), normalize("h")]),
    turned,
  ]) {
    const [layer] = findLinearLayers(graph);
    expect(layer).toMatchObject({ input: "x", output: "h", bias: Float32Array.of(7, 8, 9) });
    expect(layer?.matrix).toEqual({
      rows: 2,
      columns: 3,
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
  }
});

test("a bias counts only when nobody else reads the product", () => {
  const product = createNode("MatMul", ["x", "w"], "h");
  const sum = createNode("Add", ["b", "h"], "s");
  const [joined] = findLinearLayers(createGraph([product, sum, normalize("s")]));
  expect(joined).toMatchObject({ output: "s", addition: sum });
  const [read] = findLinearLayers(
    createGraph([product, sum, createNode("Add", ["h", "s"], "t"), normalize("t")]),
  );
  expect(read).toMatchObject({ output: "h", addition: undefined, bias: undefined });
});

const others: readonly [string, NodeProto[]][] = [
  ["a product of two computed values", [createNode("MatMul", ["x", "x2"], "h"), normalize("h")]],
  [
    "a Gemm that scales",
    [createNode("Gemm", ["x", "w", "b"], "h", { alpha: { float: 2 } }), normalize("h")],
  ],
  [
    "a product that only a Softmax for the answer follows",
    [createNode("MatMul", ["x", "w"], "h"), createNode("Softmax", ["h"], "y")],
  ],
  [
    "an operator of another domain",
    [Object.assign(createNode("MatMul", ["x", "w"], "h"), { domain: "other" }), normalize("h")],
  ],
];
for (const [what, nodes] of others) {
  test(`${what} is no layer`, () => {
    expect(findLinearLayers(createGraph(nodes))).toEqual([]);
  });
}
