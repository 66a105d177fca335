import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSmallEncoder } from "../../../test/support/small-encoder.ts";
import { readOnnx } from "../onnx/read-onnx.ts";
import { writeModelFile } from "../onnx/write-model-file.ts";
import { openFloatModel } from "./open-float-model.ts";
import type { QuantizationReport } from "./quantization-report.ts";
import { toDefaultOutput, writeQuantizedPackage } from "./write-quantized-package.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-quantize-package-"));
});
afterEach(() => rm(root, { recursive: true }));

async function createPackage(name: string, files: Record<string, unknown> = {}): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  await writeModelFile(join(folder, "model.onnx"), createSmallEncoder());
  const all = { "config.json": {}, "tokenizer.json": { version: "1.0" }, ...files };
  for (const [file, content] of Object.entries(all)) {
    await writeFile(join(folder, file), JSON.stringify(content));
  }
  return folder;
}

function createResult(isAllowed = true) {
  const decision = { isAllowed, lossPoints: 2, reason: "It loses 2.00 points.", maxLossPoints: 1 };
  return {
    model: Uint8Array.of(1, 2, 3),
    report: { schema: "sluice.quantization/v1", decision } as QuantizationReport,
  };
}

test("the package is complete, without other weights", async () => {
  const folder = await createPackage("m", { "vocab.txt": "a", "model.safetensors": "weights" });
  await mkdir(join(folder, "onnx"));
  const output = join(root, "m-int8");
  const source = await openFloatModel(folder);
  await writeQuantizedPackage(output, source, createResult(), false);
  expect((await readdir(output)).sort()).toEqual([
    "config.json",
    "model.onnx",
    "quantization-report.json",
    "tokenizer.json",
    "vocab.txt",
  ]);
  expect([...(await readFile(join(output, "model.onnx")))]).toEqual([1, 2, 3]);
  expect((await readdir(root)).sort()).toEqual(["m", "m-int8"]);
});

test("the settings of pooling come along, which embeddings are not served without", async () => {
  const folder = await createPackage("m", {
    "modules.json": [
      { path: "", type: "sentence_transformers.models.Transformer" },
      { path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
      { path: "2_Normalize", type: "sentence_transformers.models.Normalize" },
      { path: "..", type: "sentence_transformers.models.Dense" },
    ],
  });
  await mkdir(join(folder, "1_Pooling"));
  await mkdir(join(folder, "2_Normalize"));
  await writeFile(join(folder, "1_Pooling", "config.json"), '{"pooling_mode":"cls"}');
  const output = join(root, "m-int8");
  await writeQuantizedPackage(output, await openFloatModel(folder), createResult(), false);
  const settings = await readFile(join(output, "1_Pooling", "config.json"), "utf8");
  expect(settings).toBe('{"pooling_mode":"cls"}');
  expect(await readdir(output)).not.toContain("2_Normalize");
});

test("a version that loses too much is not written, and the error says by how much", async () => {
  const source = await openFloatModel(await createPackage("m"));
  const output = join(root, "out");
  await expect(writeQuantizedPackage(output, source, createResult(false), true)).rejects.toThrow(
    "Not published. It loses 2.00 points.",
  );
  expect(await readdir(root)).toEqual(["m"]);
});

test("a folder that is there is replaced only by force", async () => {
  const source = await openFloatModel(await createPackage("m"));
  const output = join(root, "out");
  await mkdir(output);
  await writeFile(join(output, "old.txt"), "old");
  await expect(writeQuantizedPackage(output, source, createResult(), false)).rejects.toThrow(
    "--force",
  );
  expect(await readdir(output)).toEqual(["old.txt"]);
  await writeQuantizedPackage(output, source, createResult(), true);
  expect(await readdir(output)).not.toContain("old.txt");
});

test("a manifest gets the new digest, and the name and version of its folder", async () => {
  const manifest = { name: "M_2.x", version: "1.0.0", model: { path: "model.onnx", sha256: "0" } };
  const source = await openFloatModel(
    await createPackage("M_2.x/1.0.0", { "manifest.json": manifest }),
  );
  const output = join(root, "M_2.x", "1.1.0");
  await writeQuantizedPackage(output, source, createResult(), false);
  const written: unknown = JSON.parse(await readFile(join(output, "manifest.json"), "utf8"));
  const sha256 = createHash("sha256")
    .update(Uint8Array.of(1, 2, 3))
    .digest("hex");
  expect(written).toEqual({ ...manifest, version: "1.1.0", model: { path: "model.onnx", sha256 } });
});

test("the default output is beside the folder, or beside the file", async () => {
  const folder = await createPackage("m");
  expect(toDefaultOutput(folder, await openFloatModel(folder))).toBe(`${folder}-int8`);
  const file = join(folder, "model.onnx");
  expect(toDefaultOutput(file, await openFloatModel(file))).toBe(join(folder, "model-int8"));
});

test("what the folder says about the model is read", async () => {
  const folder = await createPackage("m", {
    "config.json": {
      id2label: { 1: "good", 0: "bad" },
      problem_type: "multi_label_classification",
      pad_token_id: 1,
      max_position_embeddings: 514,
    },
    "tokenizer_config.json": { model_max_length: 128 },
  });
  expect(await openFloatModel(folder)).toMatchObject({
    labels: ["bad", "good"],
    isMultiLabel: true,
    padId: 1,
    maxTokens: 128,
    tokenizer: { version: "1.0" },
  });
  const unnamed = await createPackage("u", {
    "config.json": { id2label: { 0: "LABEL_0", 1: "LABEL_1" } },
  });
  expect((await openFloatModel(unnamed)).labels).toEqual([]);
});

test("weights in another file are taken in", async () => {
  const folder = await createPackage("m");
  const path = join(folder, "model.onnx");
  const whole = (await openFloatModel(folder)).bytes;
  await writeModelFile(path, readOnnx(whole), { externalData: "always" });
  expect((await readFile(path)).length).toBeLessThan(whole.length / 4);
  const { bytes } = await openFloatModel(folder);
  const weights = readOnnx(bytes).graph?.initializer.map(({ rawData }) => rawData.length);
  expect(weights).toEqual(readOnnx(whole).graph?.initializer.map(({ rawData }) => rawData.length));
});

test("what is missing is named", async () => {
  await mkdir(join(root, "empty"));
  await expect(openFloatModel(join(root, "empty"))).rejects.toThrow("no model.onnx in empty");
  const folder = await createPackage("m");
  await rm(join(folder, "tokenizer.json"));
  await expect(openFloatModel(folder)).rejects.toThrow("tokenizer.json");
});
