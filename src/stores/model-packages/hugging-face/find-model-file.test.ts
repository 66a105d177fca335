import { expect, test } from "vitest";
import { findModelFile } from "./find-model-file.ts";

test.each([
  ["the usual name", ["config.json", "model.onnx", "other.onnx"], [], "model.onnx"],
  ["the usual folder", ["config.json"], ["model.onnx", "model_quantized.onnx"], "onnx/model.onnx"],
  ["the only one", ["model_quantized.onnx"], [], "model_quantized.onnx"],
  ["the only one in the folder", [], ["model_int8.onnx"], "onnx/model_int8.onnx"],
  ["weights beside it", ["model.onnx", "model.onnx_data"], [], "model.onnx"],
])("%s", (_name, names, onnxNames, expected) => {
  expect(findModelFile(names, onnxNames)).toBe(expected);
});

test("of several nobody knows which is meant, so all are listed with the way out", () => {
  const found = findModelFile(["a.onnx"], ["b.onnx"]);
  expect(found).toMatchObject({
    field: "model.onnx",
    problem: expect.stringContaining("there are a.onnx, onnx/b.onnx; name one of them model.onnx"),
  });
  expect(found).toMatchObject({ problem: expect.stringContaining('"model":{"path":"a.onnx"}') });
});

test("without any, weights of another kind are recognized", () => {
  expect(findModelFile(["config.json"], [])).toEqual({
    field: "model.onnx",
    problem: "is missing, here and in onnx/",
  });
  expect(findModelFile(["config.json", "model.safetensors"], [])).toMatchObject({
    problem: expect.stringContaining("model.safetensors cannot be served, export it with: optimum"),
  });
});
