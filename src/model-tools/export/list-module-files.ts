import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { isRecord } from "../../core/models/field-reader.ts";

/**
 * The settings of the steps that `modules.json` of sentence-transformers speaks of, such as `1_Pooling/config.json`,
 * relative to the model's folder. Steps without settings have no folder, or an empty one.
 *
 * @throws SluiceError `invalid_argument` when `modules.json` is not JSON.
 */
export async function listModuleFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  if (!names.includes("modules.json")) return [];
  const steps = await readModules(join(folder, "modules.json"));
  const files: string[] = [];
  for (const step of steps) {
    const path = isRecord(step) ? step["path"] : undefined;
    // Only folders right here: the file may come from anywhere and must not point elsewhere.
    if (typeof path !== "string" || !names.includes(path)) continue;
    if ((await readdir(join(folder, path))).includes("config.json")) {
      files.push(`${path}/config.json`);
    }
  }
  return files;
}

async function readModules(path: string): Promise<readonly unknown[]> {
  try {
    const modules: unknown = JSON.parse(await readFile(path, "utf8"));
    return Array.isArray(modules) ? modules : [];
  } catch (cause) {
    throw new SluiceError("invalid_argument", `${path} is not JSON.`, { cause });
  }
}
