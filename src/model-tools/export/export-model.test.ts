import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ModelProtoSchema } from "../../generated/onnx_pb.ts";
import type { EncoderConfig, EncoderHead } from "../onnx/encoder-config.ts";
import { buildEncoderModel } from "../onnx/encoder-graph.ts";
import { listEncoderWeights } from "../onnx/encoder-weights.ts";
import { createSeededWeights } from "../onnx/seeded-weights.ts";
import { exportModel } from "./export-model.ts";

const config: EncoderConfig = {
  vocabSize: 20,
  hiddenSize: 8,
  layers: 2,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 12,
  typeVocabSize: 2,
  layerNormEpsilon: 1e-12,
};
const contents = {
  architectures: ["BertForSequenceClassification"],
  model_type: "bert",
  vocab_size: 20,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 16,
  max_position_embeddings: 12,
  id2label: { 0: "a", 1: "b", 2: "c" },
};
const head: EncoderHead = { kind: "classification", labels: 3 };
const weights = createSeededWeights(config, head, 5);

let root = "";
let source = "";
let output = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sluice-export-"));
  source = join(root, "source");
  output = join(root, "deep", "output");
  mkdirSync(source);
  writeJson("config.json", contents);
  writeWeights();
  writeFileSync(join(source, "tokenizer.json"), "{}");
});
afterEach(() => rmSync(root, { recursive: true }));

function writeJson(name: string, value: unknown): void {
  writeFileSync(join(source, name), JSON.stringify(value));
}

/** A safetensors file of the classifier's weights, each changed by `change`. */
function writeWeights(change = (_: string, values: Float32Array) => values): void {
  const header: Record<string, unknown> = {};
  const parts: Buffer[] = [];
  let end = 0;
  for (const { name, shape } of listEncoderWeights(config, head)) {
    const values = change(name, weights(name)?.values ?? new Float32Array());
    const prefix = name.startsWith("classifier") ? "" : "bert.";
    header[`${prefix}${name}`] = {
      dtype: "F32",
      shape,
      data_offsets: [end, end + values.byteLength],
    };
    end += values.byteLength;
    parts.push(Buffer.from(values.buffer));
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(join(source, "model.safetensors"), Buffer.concat([length, text, ...parts]));
}

test("the model is that of the weights, and what serving needs comes along", async () => {
  writeFileSync(join(source, "LICENSE.txt"), "terms");
  writeFileSync(join(source, "training_args.bin"), "not needed");
  const result = await exportModel(source, output);
  expect(result).toMatchObject({
    config,
    head,
    copied: ["LICENSE.txt", "config.json", "tokenizer.json"],
  });
  expect(readdirSync(output).toSorted()).toEqual([
    "LICENSE.txt",
    "config.json",
    "model.onnx",
    "tokenizer.json",
  ]);
  const expected = toBinary(ModelProtoSchema, buildEncoderModel({ config, head, weights }));
  expect(new Uint8Array(readFileSync(join(output, "model.onnx")))).toEqual(expected);
});

test("the steps of sentence-transformers come along, but no folder outside", async () => {
  writeJson("config.json", { ...contents, architectures: ["BertModel"] });
  writeJson("modules.json", [
    { idx: 0, path: "", type: "sentence_transformers.models.Transformer" },
    { idx: 1, path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    { idx: 2, path: "2_Normalize", type: "sentence_transformers.models.Normalize" },
    { idx: 3, path: "..", type: "x" },
  ]);
  mkdirSync(join(source, "1_Pooling"));
  writeJson("1_Pooling/config.json", { pooling_mode_mean_tokens: true });
  const { copied, head: exported } = await exportModel(source, output);
  expect(exported).toEqual({ kind: "hidden-states" });
  expect(copied).toEqual([
    "1_Pooling/config.json",
    "config.json",
    "modules.json",
    "tokenizer.json",
  ]);
  expect(readdirSync(join(output, "1_Pooling"))).toEqual(["config.json"]);
});

test("a folder can be exported into itself", async () => {
  const { copied } = await exportModel(source, source);
  expect(copied).toEqual([]);
  expect(readdirSync(source)).toContain("model.onnx");
});

test("weights that are not numbers are refused before anything is written", async () => {
  writeWeights((name, values) => (name === "classifier.bias" ? values.fill(NaN) : values));
  await expect(exportModel(source, output)).rejects.toThrow(
    "classifier.bias 3 of 3 values are not numbers",
  );
  expect(readdirSync(root)).toEqual(["source"]);
});

test("weights that do not fit the configuration are refused", async () => {
  writeJson("config.json", { ...contents, num_hidden_layers: 3 });
  await expect(exportModel(source, output)).rejects.toThrow(
    "encoder.layer.2.attention.self.query.weight must be [8, 8]; found nothing",
  );
});

test("a folder without safetensors is refused with what is there and the way out", async () => {
  rmSync(join(source, "model.safetensors"));
  writeFileSync(join(source, "pytorch_model.bin"), "");
  await expect(exportModel(source, output)).rejects.toThrow(
    /no model\.safetensors; found pytorch_model\.bin\. Save .*safe_serialization=True/,
  );
});

test("a configuration that is missing or broken is named", async () => {
  writeFileSync(join(source, "config.json"), "{");
  await expect(exportModel(source, output)).rejects.toThrow("config.json is not JSON");
  rmSync(join(source, "config.json"));
  await expect(exportModel(source, output)).rejects.toMatchObject({ code: "not_found" });
});
