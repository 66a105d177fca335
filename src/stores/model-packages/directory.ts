import type { Dirent } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { isModelVersion } from "../../core/models/manifest.ts";
import type {
  DiscoveredPackage,
  ModelPackage,
  ModelSource,
} from "../../core/ports/model-source.ts";
import { fingerprintFolder } from "./fingerprint-folder.ts";
import { codeOf, createPackageError, describeSystemError } from "./package-files.ts";
import { readPackage } from "./read-package.ts";

/** The version of a package that lies in its model's folder, without a folder for the version. */
const ONLY_VERSION = "1.0.0";
/** File systems keep this folder in their root for themselves. */
const IGNORED_FOLDER = "lost+found";
const PACKAGE_FILES: ReadonlySet<string> = new Set([
  "manifest.json",
  "config.json",
  "tokenizer.json",
]);

/**
 * Finds packages in `<root>/<name>/<version>/` and in `<root>/<name>/`, which is version 1.0.0; `location` of a package
 * is its folder. Whatever is wrong with one model is the reason that its packages give; the others are found all the
 * same. Hidden folders and plain files are left out.
 */
export function createDirectoryModelSource(root: string): ModelSource {
  return {
    description: `directory ${root}`,
    async list() {
      const found: DiscoveredPackage[] = [];
      for (const model of await listModels(root)) found.push(...(await findPackages(root, model)));
      return found;
    },
  };
}

async function listModels(root: string): Promise<readonly string[]> {
  try {
    const names = toFolderNames(await readdir(root, { withFileTypes: true }));
    return names.filter((name) => name !== IGNORED_FOLDER);
  } catch (error) {
    const message = `Cannot read the model directory ${root}: ${describeSystemError(error)}.`;
    throw new SluiceError("unavailable", message, { cause: error });
  }
}

async function findPackages(root: string, model: string): Promise<readonly DiscoveredPackage[]> {
  const folder = join(root, model);
  const create = (version: string, verify: () => Promise<ModelPackage>, path = folder) => ({
    ...{ model, version, verify },
    fingerprint: () => fingerprintFolder(path),
  });
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    // A link to a file is a file.
    if (codeOf(error) === "ENOTDIR") return [];
    const message = `The folder ${model} cannot be read: ${describeSystemError(error)}.`;
    return [create(ONLY_VERSION, () => Promise.reject(createPackageError(message, error)))];
  }
  const names = toFolderNames(entries);
  const versions = names.filter(isModelVersion);
  if (entries.some(isPackageFile)) {
    if (versions.length === 0) {
      return [create(ONLY_VERSION, () => readPackage(folder, { model, version: ONLY_VERSION }))];
    }
    const fix = `move the files of ${model}/ into a folder of their own, such as ${model}/${ONLY_VERSION}/`;
    const both = `The folder ${model} is a package itself and has folders of versions; ${fix}.`;
    return versions.map((version) =>
      create(version, () => Promise.reject(createPackageError(both))),
    );
  }
  const isFolder = await Promise.all(names.map((name) => mayBeFolder(join(folder, name))));
  const found = names.filter((_, index) => isFolder[index]);
  // Without anything inside, the reason is the same as for an empty version.
  if (found.length === 0) {
    return [create(ONLY_VERSION, () => readPackage(folder, { model, version: ONLY_VERSION }))];
  }
  return found.map((version) =>
    create(version, () => verifyVersion(folder, model, version), join(folder, version)),
  );
}

async function verifyVersion(
  folder: string,
  model: string,
  version: string,
): Promise<ModelPackage> {
  if (isModelVersion(version)) return readPackage(join(folder, version), { model, version });
  const rule = "must be named major.minor.patch, such as 1.0.0";
  throw createPackageError(`The folder ${model}/${version} ${rule}, to be a version of the model.`);
}

function isPackageFile(entry: Dirent): boolean {
  if (entry.isDirectory()) return false;
  return PACKAGE_FILES.has(entry.name) || entry.name.endsWith(".onnx");
}

function toFolderNames(entries: readonly Dirent[]): string[] {
  const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
  const names = folders.map((entry) => entry.name).filter((name) => !name.startsWith("."));
  return names.sort();
}

/** False for links to files; a link that leads nowhere may have been one to a folder. */
async function mayBeFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return true;
  }
}
