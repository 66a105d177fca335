import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ModelProtoSchema, TensorProto_DataType } from "../../generated/onnx_pb.ts";
import { readOnnx } from "./read-onnx.ts";
import type { OnnxGraph } from "./write-onnx.ts";
import { createFloatTensor, createNode, createValueInfo, writeOnnx } from "./write-onnx.ts";

const graph: OnnxGraph = {
  name: "doubles",
  inputs: [createValueInfo("x", TensorProto_DataType.FLOAT, ["batch", 3])],
  outputs: [createValueInfo("y", TensorProto_DataType.FLOAT, ["batch", 3])],
  initializers: [createFloatTensor("two", [1], Float32Array.of(2))],
  nodes: [createNode("Mul", ["x", "two"], "y")],
  metadata: { "sluice.graph": "test" },
};

test("what was written is read again", () => {
  const model = readOnnx(writeOnnx(graph));
  expect(model).toMatchObject({ irVersion: 8n, producerName: "sluice" });
  expect(model.opsetImport).toMatchObject([{ domain: "", version: 17n }]);
  expect(model.metadataProps).toMatchObject([{ key: "sluice.graph", value: "test" }]);
  expect(model.graph?.node).toMatchObject([{ opType: "Mul", input: ["x", "two"], output: ["y"] }]);
  const [two] = model.graph?.initializer ?? [];
  expect(two).toMatchObject({ name: "two", dims: [1n], dataType: TensorProto_DataType.FLOAT });
  expect([...(two?.rawData ?? [])]).toEqual([0, 0, 0, 0x40]);
  const [input] = model.graph?.input ?? [];
  const type = input?.type?.value.value;
  expect(type?.shape?.dim.map((dim) => dim.value)).toEqual([
    { case: "dimParam", value: "batch" },
    { case: "dimValue", value: 3n },
  ]);
});

test("the same graph gives the same bytes", () => {
  expect(writeOnnx(graph)).toEqual(writeOnnx({ ...graph }));
});

test("fields that we do not know survive reading and writing", () => {
  // Field 25 (functions) of a model, holding one message of three bytes: tag 25 << 3 | 2, length, content.
  const functions = [0xca, 0x01, 3, 0x0a, 1, 0x66];
  const bytes = Uint8Array.of(...writeOnnx(graph), ...functions);
  const again = toBinary(ModelProtoSchema, readOnnx(bytes));
  expect([...again]).toEqual([...bytes]);
});

test("a value that equals its default is written nevertheless", () => {
  const node = createNode("ReduceSum", ["x"], "y", { keepdims: 0 });
  const model = fromBinary(ModelProtoSchema, writeOnnx({ ...graph, nodes: [node] }));
  const [attribute] = model.graph?.node[0]?.attribute ?? [];
  expect(attribute !== undefined && Object.hasOwn(attribute, "i")).toBe(true);
});

test("bytes that are no model, or a model without a graph, are refused", () => {
  for (const bytes of [new TextEncoder().encode("no model"), new Uint8Array()]) {
    expect(() => readOnnx(bytes)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  }
});
