import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EncoderConfig } from "../model-tools/onnx/encoder-config.ts";
import { buildEncoderModel } from "../model-tools/onnx/encoder-graph.ts";
import { createSeededWeights } from "../model-tools/onnx/seeded-weights.ts";
import { writeModelFile } from "../model-tools/onnx/write-model-file.ts";
import { createInspectCommand } from "./inspect.ts";

const config: EncoderConfig = {
  vocabSize: 300,
  hiddenSize: 8,
  layers: 2,
  heads: 2,
  intermediateSize: 16,
  maxPositions: 100,
  typeVocabSize: 2,
  layerNormEpsilon: 1e-12,
};

let folder = "";
let path = "";
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-inspect-"));
  path = join(folder, "model.onnx");
  const head = { kind: "classification", labels: 3 } as const;
  const weights = createSeededWeights(config, head, 1);
  const model = buildEncoderModel({ config, head, weights });
  await writeModelFile(path, model, { externalData: "always" });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  process.exitCode = undefined;
});

async function run(...words: readonly string[]): Promise<string> {
  let written = "";
  const command = createInspectCommand((text) => {
    written += text;
  });
  await command.parseAsync([...words], { from: "user" });
  return written;
}

test("a page says what the model consists of and that nothing is wrong", async () => {
  const page = await run(folder);
  expect(page).toContain("written by sluice\nOperators of ai.onnx 17; IR version 8\n");
  expect(page).toContain("  attention_mask  int64  [batch, sequence]\n");
  expect(page).toContain("Outputs\n  logits  float32  [batch, 3]\n");
  expect(page).toMatch(/^ {2}embeddings\.word_embeddings\.weight +float32 +\[300, 8\] +9\.6 kB/m);
  expect(page).toMatch(/of these .* in model\.onnx\.data \(\d+ tensors\)$/m);
  expect(page).toMatch(/^ {2}tokens {2}weights {2}attention {2}together\n +16 +16\.5 k/m);
  expect(page).toContain("Checks: nothing is wrong\n");
  expect(process.exitCode).toBeUndefined();
});

test("a package's page begins with the task that its manifest states", async () => {
  writeFileSync(join(folder, "manifest.json"), JSON.stringify({ task: "tensor" }));
  expect(await run(folder)).toMatch(/^Task: tensor\n/);
  expect(JSON.parse(await run(folder, "--json"))).toMatchObject({ task: "tensor" });
  expect(await run(path)).not.toContain("Task:");
});

test("measured lengths have a time, and lengths that the model refuses say so", async () => {
  const page = await run(path, "--measure");
  expect(page).toMatch(/^ +64 .* [\d.]+ ms +[\d.]+ ms/m);
  expect(page).toMatch(/^ +128 .* refused$/m);
});

test("JSON has the same facts as numbers", async () => {
  const facts = JSON.parse(await run(path, "--json"));
  expect(facts).toMatchObject({
    producer: "sluice",
    opsets: { "ai.onnx": 17 },
    inputs: [{ name: "input_ids", type: "int64", shape: ["batch", "sequence"] }, {}, {}],
    operators: { LayerNormalization: 5, Softmax: 2 },
    externalFiles: [{ location: "model.onnx.data" }],
    cost: { perToken: 1024, perText: 88, perPair: 32 },
    costs: [{ tokens: 16, multiplyAdds: { weights: 16_472, attention: 8192 } }, {}, {}, {}],
    findings: [],
  });
});

test("a model with errors is shown with them, and the process fails", async () => {
  const data = readFileSync(`${path}.data`);
  writeFileSync(`${path}.data`, data.subarray(0, 100));
  const page = await run(path);
  expect(page).toContain(
    "error: embeddings.word_embeddings.weight: model.onnx.data ends at byte 100",
  );
  expect(process.exitCode).toBe(1);
});

test("what is no model is refused", async () => {
  writeFileSync(path, "");
  await expect(run(path)).rejects.toThrow("empty");
  await expect(run(join(folder, "none"))).rejects.toThrow("There is no file or folder");
});
