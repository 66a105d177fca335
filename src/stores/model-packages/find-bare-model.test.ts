import { expect, test } from "vitest";
import { findBareModel } from "./find-bare-model.ts";

test.each<[string, readonly string[], string | undefined]>([
  ["a graph alone", ["model.onnx"], "model.onnx"],
  ["a graph by any name", ["iris.onnx"], "iris.onnx"],
  ["a graph with weights beside it", ["m.onnx", "m.onnx.data", "m.onnx_data"], "m.onnx"],
  ["hidden files", [".DS_Store", "model.onnx"], "model.onnx"],
  ["nothing", [], undefined],
  ["two graphs", ["a.onnx", "b.onnx"], undefined],
  ["a package without its manifest", ["MODEL_CARD.md", "model.onnx"], undefined],
  ["an export without its configuration", ["model.onnx", "tokenizer.json"], undefined],
  ["weights alone", ["model.onnx.data"], undefined],
])("a folder with %s", (_name, names, expected) => {
  expect(findBareModel(names)).toBe(expected);
});
