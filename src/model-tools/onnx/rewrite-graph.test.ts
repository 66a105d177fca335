import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { GraphProto, NodeProto } from "../../generated/onnx_pb.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  TensorProto_DataType,
} from "../../generated/onnx_pb.ts";
import { createGraphIndex } from "./graph-index.ts";
import {
  createNameSource,
  importOpset,
  redirectConsumers,
  removeUnused,
  replaceNodes,
} from "./rewrite-graph.ts";
import { createFloatTensor, createModel, createNode, createValueInfo } from "./write-onnx.ts";

const type = (name: string) => createValueInfo(name, TensorProto_DataType.FLOAT, ["n"]);

/** y = If(c, x + w, x), where the branch reads x and w of the graph around it; beside it, two nodes for nobody. */
function createGraph(): GraphProto {
  const branch = (node: NodeProto) =>
    create(GraphProtoSchema, { node: [node], output: [type(node.output[0] ?? "")] });
  const choice = createNode("If", ["c"], "chosen");
  choice.attribute = ["then_branch", "else_branch"].map((name) =>
    create(AttributeProtoSchema, {
      name,
      type: AttributeProto_AttributeType.GRAPH,
      g: branch(
        name === "then_branch"
          ? createNode("Add", ["x", "w"], "inner")
          : createNode("Identity", ["x"], "inner"),
      ),
    }),
  );
  return create(GraphProtoSchema, {
    input: [type("x"), type("c")],
    output: [type("y")],
    initializer: ["w", "v", "lost"].map((name) => createFloatTensor(name, [1], Float32Array.of(1))),
    node: [
      createNode("Mul", ["x", "v"], "product"),
      createNode("Neg", ["product"], "negated"),
      choice,
      createNode("Abs", ["chosen"], "y"),
    ],
    valueInfo: [type("product"), type("chosen")],
  });
}

test("an index knows makers, readers, constants and edges", () => {
  const graph = createGraph();
  const constant = createNode("Constant", [], "two");
  constant.attribute.push(
    create(AttributeProtoSchema, {
      name: "value",
      t: createFloatTensor("", [], Float32Array.of(2)),
    }),
  );
  graph.node.unshift(constant);
  const index = createGraphIndex(graph);
  const [, mul, neg, choice] = graph.node;
  expect(index.producerOf("product")).toBe(mul);
  expect(index.producerOf("x")).toBeUndefined();
  expect(index.consumersOf("product")).toEqual([{ node: neg, input: 0 }]);
  expect(index.consumersOf("x")).toEqual([
    { node: mul, input: 0 },
    { node: choice, input: -1 },
    { node: choice, input: -1 },
  ]);
  expect(index.consumersOf("nothing")).toEqual([]);
  expect(index.constantOf("w")?.name).toBe("w");
  expect(index.constantOf("two")?.rawData).toHaveLength(4);
  expect([index.isInput("c"), index.isInput("y"), index.isOutput("y")]).toEqual([
    true,
    false,
    true,
  ]);
});

test("what nothing reads is removed, and what a branch reads stays", () => {
  const graph = createGraph();
  expect(removeUnused(graph)).toEqual({ nodes: 2, initializers: 2 });
  expect(graph.node.map(({ opType }) => opType)).toEqual(["If", "Abs"]);
  expect(graph.initializer.map(({ name }) => name)).toEqual(["w"]);
  expect(graph.valueInfo.map(({ name }) => name)).toEqual(["chosen"]);
  expect(removeUnused(graph)).toEqual({ nodes: 0, initializers: 0 });
});

test("nodes are replaced where they stand", () => {
  const graph = createGraph();
  const [mul, neg] = graph.node;
  const first = createNode("Add", ["x", "v"], "first");
  const second = createNode("Relu", ["first"], "product");
  replaceNodes(
    graph,
    new Map([
      [mul as NodeProto, [first, second]],
      [neg as NodeProto, []],
    ]),
  );
  expect(graph.node.map(({ opType }) => opType)).toEqual(["Add", "Relu", "If", "Abs"]);
});

test("readers are sent to another value, in branches too, but not past a name of their own", () => {
  const graph = createGraph();
  const branches = graph.node[2]?.attribute.map(({ g }) => g);
  branches?.[1]?.initializer.push(createFloatTensor("x", [1], Float32Array.of(5)));
  redirectConsumers(graph, "x", "z");
  expect(graph.node[0]?.input).toEqual(["z", "v"]);
  expect(branches?.map((branch) => branch?.node[0]?.input)).toEqual([["z", "w"], ["x"]]);
  expect(graph.input.map(({ name }) => name)).toEqual(["x", "c"]);
});

test("names are fresh: no value, node or earlier answer has them", () => {
  const fresh = createNameSource(createGraph());
  expect(["product", "product", "inner", "new", "w", "new"].map(fresh)).toEqual([
    "product_2",
    "product_3",
    "inner_2",
    "new",
    "w_2",
    "new_2",
  ]);
});

test("a set of operators is imported once, in the higher version", () => {
  const model = createModel({
    name: "",
    inputs: [],
    outputs: [],
    initializers: [],
    nodes: [],
    metadata: {},
  });
  for (const [domain, version] of [
    ["", 13],
    ["", 21],
    ["com.microsoft", 1],
    ["com.microsoft", 1],
  ] as const) {
    importOpset(model, domain, version);
  }
  expect(model.opsetImport).toMatchObject([
    { domain: "", version: 21n },
    { domain: "com.microsoft", version: 1n },
  ]);
});
