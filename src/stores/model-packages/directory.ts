import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { SluiceError } from "../../core/errors.ts";
import type { ModelManifest } from "../../core/models/manifest.ts";
import { parseManifest } from "../../core/models/manifest.ts";
import type {
  DiscoveredPackage,
  ModelPackage,
  ModelSource,
} from "../../core/ports/model-source.ts";

/** Finds packages in `<root>/<name>/<version>/`; `location` of a package is that folder. */
export function createDirectoryModelSource(root: string): ModelSource {
  return {
    description: `directory ${root}`,
    async list() {
      const found: DiscoveredPackage[] = [];
      for (const model of await listFolders(root)) {
        for (const version of await listFolders(join(root, model))) {
          const folder = join(root, model, version);
          found.push({ model, version, verify: () => verifyPackage(folder, model, version) });
        }
      }
      return found;
    },
  };
}

/**
 * Reads and checks one package folder on its own, whatever its name.
 *
 * @throws SluiceError `invalid_argument` with the reason
 */
export async function readPackage(folder: string): Promise<ModelPackage> {
  const text = await readManifestText(folder);
  const manifest = parseManifest(parseJson(text));
  const actual = await digestFile(join(folder, manifest.model.path));
  if (actual !== manifest.model.sha256) {
    const found = `its SHA-256 is ${actual}, the manifest says ${manifest.model.sha256}`;
    throw new SluiceError(
      "invalid_argument",
      `${manifest.model.path} is not the stated file: ${found}.`,
    );
  }
  const digest = createHash("sha256").update(text).update(actual).digest("hex");
  return { manifest, digest, location: folder };
}

async function verifyPackage(
  folder: string,
  model: string,
  version: string,
): Promise<ModelPackage> {
  const modelPackage = await readPackage(folder);
  assertNamedLikeFolder(modelPackage.manifest, model, version);
  return modelPackage;
}

async function listFolders(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    const names = folders.map((entry) => entry.name).filter((name) => !name.startsWith("."));
    return names.sort();
  } catch (error) {
    const message = `Cannot read the model directory ${directory}: ${reasonOf(error)}.`;
    throw new SluiceError("unavailable", message, { cause: error });
  }
}

async function readManifestText(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, "manifest.json"), "utf8");
  } catch (error) {
    const message = `${basename(folder)}/manifest.json cannot be read: ${reasonOf(error)}.`;
    throw new SluiceError("invalid_argument", message, { cause: error });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new SluiceError("invalid_argument", "manifest.json is not valid JSON.", { cause: error });
  }
}

async function digestFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    const message = `${basename(path)} cannot be read: ${reasonOf(error)}.`;
    throw new SluiceError("invalid_argument", message, { cause: error });
  }
  return hash.digest("hex");
}

function assertNamedLikeFolder(manifest: ModelManifest, model: string, version: string): void {
  if (manifest.name === model && manifest.version === version) return;
  const stated = `${manifest.name}/${manifest.version}`;
  const message = `The manifest describes ${stated}, but the folder is ${model}/${version}.`;
  throw new SluiceError("invalid_argument", message);
}

/** The system's short reason, such as ENOENT, without the absolute path that its message repeats. */
function reasonOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
