import { createHash, randomUUID } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { isModelName, isModelVersion } from "../../core/models/manifest.ts";
import { listModuleFiles } from "../export/list-module-files.ts";
import type { FloatModel } from "./open-float-model.ts";
import type { QuantizedModel } from "./quantize-model.ts";

/** Weights in one form or another: the quantized model takes their place. */
const WEIGHT_EXTENSIONS = new Set([
  ".onnx",
  ".onnx_data",
  ".data",
  ".safetensors",
  ".bin",
  ".h5",
  ".msgpack",
  ".ot",
  ".pt",
  ".pth",
  ".gguf",
  ".part",
]);

/** Where a quantized model goes when nobody says: beside the folder, or beside the file, with `-int8`. */
export function toDefaultOutput(modelPath: string, source: FloatModel): string {
  if (source.isPackage) return `${source.folder}-int8`;
  const name = basename(modelPath, extname(modelPath));
  return join(source.folder, `${name}-int8`);
}

/**
 * Refuses an output folder that is there already, before hours of work.
 *
 * @throws SluiceError `invalid_argument` unless the folder is free or may be replaced.
 */
export async function assertOutputFree(output: string, mayReplace: boolean): Promise<void> {
  if (mayReplace || (await stat(output).catch(() => undefined)) === undefined) return;
  throw new SluiceError(
    "invalid_argument",
    `${output} is there already. Choose another --output, or replace it with --force.`,
  );
}

/**
 * Writes a complete package: `model.onnx`, `quantization-report.json`, and copies of all other files of the source folder
 * except weights, and of the settings in folders that `modules.json` names. A `manifest.json` gets the new model's digest, and name and version from the output folder when these
 * are `name/major.minor.patch`. The folder appears whole or not at all.
 *
 * @throws SluiceError `invalid_argument` when the report's decision does not allow it, or the output is there already.
 */
export async function writeQuantizedPackage(
  output: string,
  source: FloatModel,
  { model, report }: QuantizedModel,
  mayReplace: boolean,
): Promise<void> {
  if (!report.decision.isAllowed) {
    throw new SluiceError("invalid_argument", `Not published. ${report.decision.reason}`);
  }
  await assertOutputFree(output, mayReplace);
  const target = resolve(output);
  await mkdir(dirname(target), { recursive: true });
  const unfinished = `${target}.part-${randomUUID()}`;
  await mkdir(unfinished);
  try {
    await copyCompanions(source, unfinished);
    await writeFile(join(unfinished, "model.onnx"), model);
    await writeFile(
      join(unfinished, "quantization-report.json"),
      `${JSON.stringify(report, null, 2)}\n`,
    );
    await updateManifest(unfinished, target, model);
    if (mayReplace) await rm(target, { recursive: true, force: true });
    await rename(unfinished, target);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function copyCompanions(source: FloatModel, to: string): Promise<void> {
  await copyFile(source.tokenizerPath, join(to, "tokenizer.json"));
  if (!source.isPackage) return;
  for (const entry of await readdir(source.folder, { withFileTypes: true })) {
    const isWeights = WEIGHT_EXTENSIONS.has(extname(entry.name).toLowerCase());
    if (!entry.isFile() || isWeights || entry.name === "tokenizer.json") continue;
    await copyFile(join(source.folder, entry.name), join(to, entry.name));
  }
  for (const file of await listModuleFiles(source.folder)) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await copyFile(join(source.folder, file), join(to, file));
  }
}

async function updateManifest(folder: string, target: string, model: Uint8Array): Promise<void> {
  const path = join(folder, "manifest.json");
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return;
  const manifest = JSON.parse(text) as Record<string, unknown>;
  const sha256 = createHash("sha256").update(model).digest("hex");
  const name = basename(dirname(target));
  const version = basename(target);
  const isNamed = isModelName(name) && isModelVersion(version);
  const updated = {
    ...manifest,
    ...(isNamed ? { name, version } : {}),
    model: { path: "model.onnx", sha256 },
  };
  await writeFile(path, `${JSON.stringify(updated, null, 2)}\n`);
}
