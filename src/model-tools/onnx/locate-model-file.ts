import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { SluiceError } from "../../core/errors.ts";
import { isRecord } from "../../core/models/field-reader.ts";
import { isPackagePath } from "../../core/models/package-file.ts";

/** Where exporters put the graph. */
const USUAL_PLACES = ["model.onnx", "onnx/model.onnx"];

/**
 * The model file that a path means: itself, or the one in a package's folder, which its manifest names or which is where
 * exporters put it.
 *
 * @throws SluiceError `not_found` when there is none.
 */
export async function locateModelFile(path: string): Promise<string> {
  const stats = await stat(path).catch((cause: unknown) => {
    throw new SluiceError("not_found", `There is no file or folder ${path}.`, { cause });
  });
  if (!stats.isDirectory()) return path;
  const names = await readdir(path, { recursive: true });
  const stated = await readManifestPath(path);
  const place = [stated, ...USUAL_PLACES].find(
    (each) => each !== undefined && names.includes(each),
  );
  if (place !== undefined) return join(path, place);
  const [only, second] = names.filter((name) => name.endsWith(".onnx"));
  if (only !== undefined && second === undefined) return join(path, only);
  const problem = only === undefined ? "holds no .onnx file" : "holds several .onnx files";
  throw new SluiceError("not_found", `${path} ${problem}; name the file.`);
}

/** The task that the manifest in a package's folder states; undefined for a file, or without such a manifest. */
export async function readStatedTask(path: string): Promise<string | undefined> {
  const task = (await readManifest(path))["task"];
  return typeof task === "string" ? task : undefined;
}

async function readManifest(folder: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8"));
    return isRecord(manifest) ? manifest : {};
  } catch {
    // No manifest, or a broken one: whoever looks at the graph can do without.
    return {};
  }
}

async function readManifestPath(folder: string): Promise<string | undefined> {
  const model = (await readManifest(folder))["model"];
  const path = isRecord(model) ? model["path"] : undefined;
  return typeof path === "string" && isPackagePath(path) ? path : undefined;
}
