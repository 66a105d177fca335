import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { GraphProto, ModelProto } from "../../generated/onnx_pb.ts";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  GraphProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from "../../generated/onnx_pb.ts";
import { checkModel } from "./check-model.ts";
import { buildEncoderModel } from "./encoder-graph.ts";
import { readModelFile } from "./read-model-file.ts";
import { createSeededWeights } from "./seeded-weights.ts";
import { writeModelFile } from "./write-model-file.ts";
import { createFloatTensor, createModel, createNode, createValueInfo } from "./write-onnx.ts";

const type = (name: string) => createValueInfo(name, TensorProto_DataType.FLOAT, ["n", 2]);

/** y = |x · w + b| */
function createSound(): ModelProto & { graph: GraphProto } {
  const model = createModel({
    name: "sound",
    inputs: [type("x")],
    outputs: [type("y")],
    initializers: [
      createFloatTensor("w", [2, 2], Float32Array.of(1, 2, 3, 4)),
      createFloatTensor("b", [2], Float32Array.of(1, 2)),
    ],
    nodes: [
      createNode("MatMul", ["x", "w"], "product"),
      createNode("Add", ["product", "b"], "sum"),
      createNode("Abs", ["sum"], "y"),
    ],
    metadata: {},
  });
  if (model.graph === undefined) throw new Error("no graph");
  return Object.assign(model, { graph: model.graph });
}

test("sound models have no findings", async () => {
  expect(await checkModel(createSound())).toEqual([]);
  const config = {
    vocabSize: 20,
    hiddenSize: 8,
    layers: 1,
    heads: 2,
    intermediateSize: 16,
    maxPositions: 8,
    typeVocabSize: 2,
    layerNormEpsilon: 1e-12,
  };
  const head = { kind: "classification", labels: 2 } as const;
  const weights = createSeededWeights(config, head, 1);
  expect(await checkModel(buildEncoderModel({ config, head, weights }))).toEqual([]);
});

type Sound = ReturnType<typeof createSound>;
const broken: readonly [string, (model: Sound) => void, string][] = [
  [
    "a value that nothing makes",
    ({ graph }) => graph.initializer.pop(),
    'error sum: reads "b", which nothing makes',
  ],
  [
    "nodes in the wrong order",
    ({ graph }) => graph.node.reverse(),
    "error sum: stands before a node that makes what it reads",
  ],
  [
    "a circle",
    ({ graph }) => graph.node[0]?.input.splice(0, 1, "sum"),
    "error sum: depends on itself: sum → product → sum",
  ],
  [
    "a value with two makers",
    ({ graph }) => graph.node.push(createNode("Neg", ["x"], "sum")),
    "error sum: is made by two nodes",
  ],
  [
    "a value that is an initializer and made by a node",
    ({ graph }) => graph.node.unshift(createNode("Neg", ["x"], "w")),
    "error w: is made by a node, and is an input or initializer too",
  ],
  [
    "two initializers of one name",
    ({ graph }) => graph.initializer.push(createFloatTensor("b", [1], new Float32Array(1))),
    "error b: is the name of two initializers",
  ],
  [
    "an output that nothing makes",
    ({ graph }) => graph.output.push(type("z")),
    "error z: is an output, but nothing makes it",
  ],
  ["no outputs", ({ graph }) => graph.output.pop(), "error model: has no outputs"],
  [
    "a tensor that is too short",
    ({ graph }) => graph.initializer[0]?.dims.push(2n),
    "error w: must have 32 bytes for [2, 2, 2]; found 16",
  ],
  [
    "an impossible dimension",
    ({ graph }) => graph.initializer[0]?.dims.splice(0, 1, -2n),
    'error w: The tensor "w" cannot be [-2, 2].',
  ],
  [
    "an unknown element type",
    ({ graph }) => Object.assign(graph.initializer[0] ?? {}, { dataType: 99 }),
    'error w: The tensor "w" has the unknown type 99.',
  ],
  [
    "operators of the future",
    (model) => Object.assign(model.opsetImport[0] ?? {}, { version: 27n }),
    "error model: uses operator set 27 of ai.onnx; ONNX Runtime 1.30 knows up to 26, so export it with opset_version=26 or lower",
  ],
  [
    "a container of the future",
    (model) => Object.assign(model, { irVersion: 14n }),
    "error model: has IR version 14; ONNX Runtime 1.30 reads up to 13, so export it with an older one",
  ],
  [
    "no set of operators",
    (model) => Object.assign(model, { opsetImport: [] }),
    "error model: names no set of operators; its end may be missing",
  ],
  [
    "a set of operators that is used but not imported",
    ({ graph }) => Object.assign(graph.node[2] ?? {}, { domain: "com.microsoft" }),
    "error model: uses Abs of com.microsoft, which it does not import",
  ],
  [
    "a node that nobody needs",
    ({ graph }) => graph.node.push(createNode("Neg", ["x"], "spare")),
    "warning model: holds 1 nodes and 0 initializers that no output needs",
  ],
];
for (const [what, spoil, expected] of broken) {
  test(`${what} is found`, async () => {
    const model = createSound();
    spoil(model);
    const found = await checkModel(model);
    const lines = found.map((f) => `${f.severity} ${f.subject}: ${f.problem}`);
    expect(lines.join("\n")).toContain(expected);
  });
}

test("weights that are no numbers are counted, in every float type", async () => {
  const { FLOAT16, BFLOAT16, DOUBLE } = TensorProto_DataType;
  const model = createSound();
  const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer);
  const values: readonly [number, Uint8Array][] = [
    [FLOAT16, bytesOf(Uint16Array.of(0x7c00, 0x7e00, 0x3c00, 0xfc01))],
    [BFLOAT16, bytesOf(Uint16Array.of(0x7f80, 0x7fc0, 0x3f80, 0xff81))],
    [DOUBLE, bytesOf(Float64Array.of(-Infinity, NaN, 1, -NaN))],
  ];
  model.graph.initializer.push(
    createFloatTensor("float32", [4], Float32Array.of(Infinity, NaN, 1, NaN)),
    ...values.map(([dataType, rawData]) =>
      create(TensorProtoSchema, { name: `type${dataType}`, dims: [4n], dataType, rawData }),
    ),
  );
  const found = await checkModel(model);
  for (const name of ["float32", "type10", "type16", "type11"]) {
    expect(found).toContainEqual({
      severity: "error",
      subject: name,
      problem: "2 of 4 values are not numbers (NaN)",
    });
    expect(found).toContainEqual({
      severity: "warning",
      subject: name,
      problem: "1 of 4 values are infinite",
    });
  }
  expect(await checkModel(model, { readsWeights: false })).toHaveLength(1);
});

test("a file of weights that was cut off is found", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-check-"));
  try {
    const path = join(folder, "model.onnx");
    const model = createSound();
    model.graph.initializer.push(createFloatTensor("big", [300], new Float32Array(300)));
    await writeModelFile(path, model, { externalData: "always" });
    truncateSync(`${path}.data`, 100);
    const file = await readModelFile(path);
    const found = await checkModel(file.model, { readChunks: file.readChunks });
    await file.close();
    expect(found[0]).toMatchObject({ severity: "error", subject: "big" });
    expect(found[0]?.problem).toContain("ends at byte 100");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a branch may read values around it, and sparse initializers count as made", async () => {
  const model = createSound();
  const branch = create(GraphProtoSchema, {
    node: [createNode("Mul", ["sum", "sparse"], "inner")],
    output: [type("inner")],
  });
  const choice = createNode("If", ["x"], "chosen");
  choice.attribute.push(
    create(AttributeProtoSchema, {
      name: "then_branch",
      type: AttributeProto_AttributeType.GRAPH,
      g: branch,
    }),
  );
  model.graph.node.splice(2, 1, choice, createNode("Abs", ["chosen"], "y"));
  expect(await checkModel(model)).toMatchObject([
    { severity: "error", problem: 'reads "sparse", which nothing makes' },
    { severity: "error" },
  ]);
  // Field 15 of a graph: a message whose field 1 is a tensor with the name (field 8) "sparse".
  const name = new TextEncoder().encode("sparse");
  const data = Uint8Array.of(10, 0x0a, 8, 0x42, 6, ...name);
  model.graph.$unknown = [{ no: 15, wireType: 2, data }];
  expect(await checkModel(model)).toEqual([]);
});
