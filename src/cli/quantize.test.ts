import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createBertTokenizerFile } from "../../test/support/bert-tokenizer-file.ts";
import { createSmallEncoder } from "../../test/support/small-encoder.ts";
import { writeModelFile } from "../model-tools/onnx/write-model-file.ts";
import type { QuantizationReport } from "../model-tools/quantize/quantization-report.ts";
import { createQuantizeCommand } from "./quantize.ts";

let root: string;
let model: string;
let data: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "sluice-quantize-"));
  model = join(root, "small");
  data = join(root, "texts.csv");
  await mkdir(model);
  await writeModelFile(join(model, "model.onnx"), createSmallEncoder());
  const words = Array.from({ length: 290 }, (_, i) => `word${i}`);
  await writeFile(join(model, "tokenizer.json"), JSON.stringify(createBertTokenizerFile(words)));
  await writeFile(
    join(model, "config.json"),
    JSON.stringify({ id2label: { 0: "a", 1: "b", 2: "c" }, max_position_embeddings: 64 }),
  );
  const rows = Array.from({ length: 200 }, (_, i) => {
    const words = Array.from({ length: 3 + (i % 9) }, (_, at) => `word${(i * 31 + at * 17) % 290}`);
    return `${words.join(" ")},${"abc"[i % 3]}`;
  });
  await writeFile(data, ["text,label", ...rows].join("\n"));
});
afterAll(() => rm(root, { recursive: true }));

async function run(...flags: string[]): Promise<string> {
  let printed = "";
  const command = createQuantizeCommand({
    write: (text) => {
      printed += text;
    },
    writeProgress: () => {},
  });
  const fast = ["--calibration", "min-max", "--bias-correction", "off", "--repetitions", "0"];
  await command.parseAsync([model, "--data", data, ...fast, ...flags], { from: "user" });
  return printed;
}

test("a package is made beside the model, with its report, and the table is printed", async () => {
  const printed = await run("--max-loss", "50");
  expect(printed).toContain("layers in int8");
  expect(printed).toContain(`Wrote ${model}-int8`);
  const output = `${model}-int8`;
  expect((await readdir(output)).sort()).toEqual([
    "config.json",
    "model.onnx",
    "quantization-report.json",
    "tokenizer.json",
  ]);
  const text = await readFile(join(output, "quantization-report.json"), "utf8");
  const report = JSON.parse(text) as QuantizationReport;
  expect(report.decision.isAllowed).toBe(true);
  expect(report.gate[0]?.name).toBe("texts.csv, held out");
  expect(report.host.onnxRuntime).toMatch(/^\d+\.\d+/);
  expect(text).not.toContain(root);
  await expect(run("--max-loss", "50")).rejects.toThrow("--force");
});

test("a version that loses too much is refused, with the figure, and nothing is written", async () => {
  const output = join(root, "refused");
  await expect(run("--output", output, "--max-loss", "-100")).rejects.toThrow(
    /Not published\. It loses .* more than the -100 allowed/,
  );
  expect(await readdir(root)).not.toContain("refused");
});

test("texts without labels are compared with the float model", async () => {
  const output = join(root, "unlabelled");
  const printed = await run("--output", output, "--unlabelled", "--max-loss", "50");
  expect(printed).toContain("Without labels");
});

test("a model file alone takes its tokenizer from a flag", async () => {
  const bare = join(root, "bare");
  await mkdir(bare);
  await writeModelFile(join(bare, "net.onnx"), createSmallEncoder());
  const flags = ["--tokenizer", join(model, "tokenizer.json"), "--unlabelled", "--max-loss", "50"];
  const command = createQuantizeCommand({ write: () => {}, writeProgress: () => {} });
  await command.parseAsync(
    [
      join(bare, "net.onnx"),
      "--data",
      data,
      "--calibration",
      "min-max",
      "--repetitions",
      "0",
      ...flags,
    ],
    { from: "user" },
  );
  expect((await readdir(join(bare, "net-int8"))).sort()).toEqual([
    "model.onnx",
    "quantization-report.json",
    "tokenizer.json",
  ]);
});
