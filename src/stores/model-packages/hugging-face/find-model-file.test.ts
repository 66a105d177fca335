import { expect, test } from "vitest";
import { EXPORTED_ARCHITECTURES } from "../../../model-tools/export/parse-bert-config.ts";
import { findModelFile } from "./find-model-file.ts";

test.each([
  ["the usual name", ["config.json", "model.onnx", "other.onnx"], [], "model.onnx"],
  ["the usual folder", ["config.json"], ["model.onnx", "model_quantized.onnx"], "onnx/model.onnx"],
  ["the only one", ["model_quantized.onnx"], [], "model_quantized.onnx"],
  ["the only one in the folder", [], ["model_int8.onnx"], "onnx/model_int8.onnx"],
  ["weights beside it", ["model.onnx", "model.onnx_data"], [], "model.onnx"],
])("%s", (_name, names, onnxNames, expected) => {
  expect(findModelFile(names, onnxNames, {})).toBe(expected);
});

test("of several nobody knows which is meant, so all are listed with the way out", () => {
  const found = findModelFile(["a.onnx"], ["b.onnx"], {});
  expect(found).toMatchObject({
    field: "model.onnx",
    problem: expect.stringContaining("there are a.onnx, onnx/b.onnx; name one of them model.onnx"),
  });
  expect(found).toMatchObject({ problem: expect.stringContaining('"model":{"path":"a.onnx"}') });
});

test("without any, weights of another kind are recognized", () => {
  expect(findModelFile(["config.json"], [], {})).toEqual({
    field: "model.onnx",
    problem: "is missing, here and in onnx/",
  });
  expect(findModelFile(["config.json", "model.safetensors"], [], {})).toMatchObject({
    problem: expect.stringContaining("model.safetensors cannot be served, export it with: optimum"),
  });
});

const BERT = { architectures: ["BertForSequenceClassification"], model_type: "bert" };

test.each([
  ["what our own exporter reads", ["model.safetensors"], BERT, "sluice export <this folder>"],
  ["beside other weights too", ["flax_model.msgpack", "model.safetensors"], BERT, "sluice export"],
  ["another family", ["model.safetensors"], { ...BERT, model_type: "roberta" }, "optimum-cli"],
  ["another form of the weights", ["pytorch_model.bin"], BERT, "optimum-cli"],
  ["weights in several files", ["model-00001-of-00002.safetensors"], BERT, "optimum-cli"],
])("%s: the tool that can make a graph is named", (_what, names, config, tool) => {
  expect(findModelFile(names, [], config)).toMatchObject({
    problem: expect.stringContaining(`with: ${tool}`),
  });
});

test.each([
  ...EXPORTED_ARCHITECTURES,
  "BertForTokenClassification",
  "BertLMHeadModel",
  "RobertaModel",
])("sluice export is recommended for %s only if it takes it", (architecture) => {
  const config = { architectures: [architecture], model_type: "bert" };
  const found = JSON.stringify(findModelFile(["model.safetensors"], [], config));
  expect(found.includes("sluice export")).toBe(EXPORTED_ARCHITECTURES.includes(architecture));
});
