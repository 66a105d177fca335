import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { FieldProblem } from "../../core/errors.ts";
import { SluiceError } from "../../core/errors.ts";
import type { ModelManifest } from "../../core/models/manifest.ts";
import {
  isModelName,
  isModelVersion,
  MANIFEST_SCHEMA,
  parseManifest,
} from "../../core/models/manifest.ts";
import type { ModelPackage } from "../../core/ports/model-source.ts";
import { findBareModel } from "./find-bare-model.ts";
import { readExport } from "./hugging-face/read-export.ts";
import { toManifestFields } from "./hugging-face/to-manifest-fields.ts";
import type { Fields } from "./is-record.ts";
import { isRecord, toFields } from "./is-record.ts";
import { createPackageError, hashFile, readJsonFile, readNames } from "./package-files.ts";

/** What a folder is called in its place. */
export interface PackageName {
  readonly model: string;
  readonly version: string;
}

/** The manifest of a folder and what it was made of. */
interface Described {
  readonly manifest: ModelManifest;
  /** SHA-256 by path of the files that were read for it. */
  readonly digests: ReadonlyMap<string, string>;
  /** What the model file's SHA-256 must be; undefined when nobody says. */
  readonly expectedSha256: string | undefined;
}

/** Takes the place of a digest that is only known when everything else has been found right. */
const NOT_YET_HASHED = "0".repeat(64);
const FORMS =
  "a package is manifest.json with its model, or a Hugging Face export: config.json, tokenizer.json and model.onnx, or " +
  "nothing but an .onnx file, to be served as it is";

/**
 * Reads and checks one package folder: `manifest.json` with its model; or a Hugging Face export; or both, when the
 * manifest says `"extends": "config.json"`; or nothing but a graph, which becomes a model of task `tensor`.
 *
 * @param name what the package must be called; without it, it may lie anywhere, and an export is named after its folder
 * @throws SluiceError `invalid_argument` with the reason
 */
export async function readPackage(folder: string, name?: PackageName): Promise<ModelPackage> {
  if (name !== undefined) assertUsableName(name);
  const names = await readNames(folder, "");
  const described = await describe(folder, names, name);
  const { manifest, expectedSha256 } = described;
  const { path } = manifest.model;
  const digests = new Map(described.digests);
  const tokenizerFile = toTokenizerFile(manifest);
  const weights = await findExternalData(folder, path);
  const files = [path, ...weights];
  if (tokenizerFile !== undefined) files.push(tokenizerFile.path);
  for (const file of files) digests.set(file, await hashFile(folder, file));
  const modelBytes = await sumSizes(folder, [path, ...weights]);
  const sha256 = digests.get(path) ?? "";
  assertSame(path, sha256, expectedSha256);
  if (tokenizerFile !== undefined) {
    const { path: tokenizerPath, sha256: expected } = tokenizerFile;
    assertSame(tokenizerPath, digests.get(tokenizerPath) ?? "", expected);
  }
  return {
    manifest: { ...manifest, model: { path, sha256 } },
    digest: toDigest(digests),
    location: folder,
    modelPath: join(folder, path),
    modelBytes,
    tokenizerPath: tokenizerFile && join(folder, tokenizerFile.path),
  };
}

async function sumSizes(folder: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(folder, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function describe(
  folder: string,
  names: readonly string[],
  name: PackageName | undefined,
): Promise<Described> {
  if (!names.includes("manifest.json")) {
    if (names.includes("config.json")) return describeExport(folder, {}, new Map(), name);
    const bare = findBareModel(names);
    if (bare !== undefined) return describeBare(bare, name ?? toPackageName(folder));
    throw createPackageError(`${describeMissing(names)}; ${FORMS}.`);
  }
  const { value, sha256 } = await readJsonFile(folder, "manifest.json");
  const digests = new Map([["manifest.json", sha256]]);
  const extended = isRecord(value) ? value["extends"] : undefined;
  if (isRecord(value) && extended === "config.json") {
    return describeExport(folder, value, digests, name);
  }
  if (extended !== undefined) {
    const found = JSON.stringify(extended);
    throw createPackageError(`manifest.json: extends must be "config.json"; found ${found}.`);
  }
  const manifest = parseManifest(value);
  if (name !== undefined) assertNamedLikeFolder(manifest, name);
  return { manifest, digests, expectedSha256: manifest.model.sha256 };
}

function describeBare(path: string, { model, version }: PackageName): Described {
  const manifest = parseManifest({
    schema: MANIFEST_SCHEMA,
    name: model,
    version,
    task: "tensor",
    model: { path, sha256: NOT_YET_HASHED },
    description: "An ONNX graph as it was found.",
    license: "unknown",
  });
  return { manifest, digests: new Map(), expectedSha256: undefined };
}

async function describeExport(
  folder: string,
  stated: Fields,
  known: ReadonlyMap<string, string>,
  name: PackageName | undefined,
): Promise<Described> {
  const found = await readExport(folder);
  const { fields, problems } = toManifestFields(found.files, stated);
  const model = toFields(stated["model"]);
  const isOpen = ({ field }: FieldProblem) => field !== "model.onnx" || model["path"] === undefined;
  assertNoProblems([...found.problems.filter(isOpen), ...problems]);
  const called = name ?? toPackageName(folder);
  const manifest = parseManifest({
    schema: MANIFEST_SCHEMA,
    name: called.model,
    version: called.version,
    ...fields,
    model: { path: found.modelPath, sha256: NOT_YET_HASHED, ...model },
  });
  if (name !== undefined) assertNamedLikeFolder(manifest, name);
  const expectedSha256 = model["sha256"] === undefined ? undefined : manifest.model.sha256;
  return { manifest, digests: new Map([...known, ...found.digests]), expectedSha256 };
}

function assertUsableName({ model }: PackageName): void {
  if (isModelName(model)) return;
  const rule = "letters, digits, dots, underscores and hyphens, no dot first";
  throw createPackageError(`The folder ${JSON.stringify(model)} must be named with ${rule}.`);
}

function assertNoProblems(problems: readonly FieldProblem[]): void {
  if (problems.length === 0) return;
  const summary = problems.map(({ field, problem }) => `${field} ${problem}`).join("; ");
  const message = `This Hugging Face export cannot be served: ${summary}.`;
  throw new SluiceError("invalid_argument", message, { details: problems });
}

/** `.../<name>/<version>` or `.../<name>`; a name that no model may have is brought into the form of one. */
function toPackageName(folder: string): PackageName {
  const path = resolve(folder);
  const last = basename(path);
  const [model, version] = isModelVersion(last) ? [basename(dirname(path)), last] : [last, "1.0.0"];
  const name = model.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^\.+/, "");
  return { model: isModelName(name) ? name : "model", version };
}

function describeMissing(names: readonly string[]): string {
  if (names.length === 0) return "The folder is empty";
  const some = names.slice(0, 5).join(", ");
  return `There is neither manifest.json nor config.json beside ${some}`;
}

function toTokenizerFile(manifest: ModelManifest): { path: string; sha256?: string } | undefined {
  if (manifest.task === "tensor") return undefined;
  const { path, sha256 } = manifest.tokenizer;
  if (typeof path !== "string") return undefined;
  return typeof sha256 === "string" ? { path, sha256 } : { path };
}

/** Weights too large for the graph's own file lie beside it: `model.onnx_data`, `model.onnx.data` and the like. */
async function findExternalData(folder: string, modelPath: string): Promise<readonly string[]> {
  const below = dirname(modelPath);
  const names = await readNames(folder, below === "." ? "" : below);
  const start = basename(modelPath);
  const isData = (name: string) => name.startsWith(`${start}_`) || name.startsWith(`${start}.`);
  return names.filter(isData).map((name) => (below === "." ? name : `${below}/${name}`));
}

function assertSame(path: string, actual: string, expected: string | undefined): void {
  if (expected === undefined || actual === expected) return;
  const found = `its SHA-256 is ${actual}, the manifest says ${expected}`;
  throw createPackageError(`${path} is not the stated file: ${found}.`);
}

function assertNamedLikeFolder(manifest: ModelManifest, { model, version }: PackageName): void {
  if (manifest.name === model && manifest.version === version) return;
  const stated = `${manifest.name}/${manifest.version}`;
  throw createPackageError(
    `The manifest describes ${stated}, but the folder is ${model}/${version}.`,
  );
}

/** What `sha256sum` over its own listing of the files gives, in the order of their paths. */
function toDigest(digests: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const path of [...digests.keys()].sort()) hash.update(`${digests.get(path)}  ${path}\n`);
  return hash.digest("hex");
}
