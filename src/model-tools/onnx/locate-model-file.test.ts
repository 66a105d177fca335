import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { locateModelFile } from "./locate-model-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "sluice-locate-"));
  mkdirSync(join(folder, "onnx"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function touch(name: string, content = ""): void {
  writeFileSync(join(folder, name), content);
}

test("a file is itself, and in a folder the manifest decides before the usual places", async () => {
  touch("other.onnx");
  expect(await locateModelFile(join(folder, "other.onnx"))).toBe(join(folder, "other.onnx"));
  expect(await locateModelFile(folder)).toBe(join(folder, "other.onnx"));
  touch("onnx/model.onnx");
  expect(await locateModelFile(folder)).toBe(join(folder, "onnx/model.onnx"));
  touch("model.onnx");
  expect(await locateModelFile(folder)).toBe(join(folder, "model.onnx"));
  touch("manifest.json", JSON.stringify({ model: { path: "other.onnx" } }));
  expect(await locateModelFile(folder)).toBe(join(folder, "other.onnx"));
  touch("manifest.json", "not JSON");
  expect(await locateModelFile(folder)).toBe(join(folder, "model.onnx"));
});

test("no model, several models and no folder are told apart", async () => {
  await expect(locateModelFile(folder)).rejects.toThrow("holds no .onnx file");
  touch("a.onnx");
  touch("b.onnx");
  await expect(locateModelFile(folder)).rejects.toThrow("holds several .onnx files");
  await expect(locateModelFile(join(folder, "c"))).rejects.toMatchObject({ code: "not_found" });
});
