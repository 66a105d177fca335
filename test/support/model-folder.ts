import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeNgramClassifier } from "../../src/model-tools/onnx/write-ngram-classifier.ts";
import { DEFAULT_HASHED_NGRAMS_SETTINGS } from "../../src/tokenizers/hashed-ngrams/settings.ts";
import { createRandomNgramWeights, writeSlowClassifier } from "./onnx-fixtures.ts";

export interface PackageToWrite {
  readonly model?: string;
  readonly version?: string;
  readonly bytes?: Uint8Array;
  /** Replaces fields of the manifest, also with wrong ones. */
  readonly changes?: Readonly<Record<string, unknown>>;
}

/** Files by their path in the package: bytes and text as they are, everything else as JSON; undefined is left out. */
export type FilesToWrite = Readonly<Record<string, unknown>>;

/** A models directory of a test's own. */
export interface ModelFolder {
  readonly path: string;
  /** A package with a complete manifest. */
  write(toWrite?: PackageToWrite): Promise<void>;
  /** Any files, in `<path>/<folder>/`. */
  writeFiles(folder: string, files: FilesToWrite): Promise<void>;
  remove(): Promise<void>;
}

const BUCKETS = 1024;

/** Logits of random weights: good for everything but accuracy. */
export function writeRandomClassifier(seed = 1): Uint8Array {
  return writeNgramClassifier(
    createRandomNgramWeights({
      seed,
      buckets: BUCKETS,
      dimensions: 8,
      classes: 2,
      combiner: "sqrtn",
      quantized: false,
    }),
  );
}

/** A model that needs several milliseconds for each text, wherever it runs. */
export function writeSlowModel(layers: number): Uint8Array {
  return writeSlowClassifier({ buckets: BUCKETS, layers });
}

export async function createModelFolder(): Promise<ModelFolder> {
  const path = await mkdtemp(join(tmpdir(), "sluice-models-"));
  return {
    path,
    write: (toWrite = {}) => writePackage(path, toWrite),
    writeFiles: (folder, files) => writeFiles(join(path, folder), files),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

async function writePackage(root: string, toWrite: PackageToWrite): Promise<void> {
  const { model = "text-classification", version = "1.0.0", changes = {} } = toWrite;
  const bytes = toWrite.bytes ?? writeRandomClassifier();
  const manifest = {
    schema: "sluice.model/v1",
    name: model,
    version,
    task: "classification",
    problemType: "single_label_classification",
    labels: ["negative", "positive"],
    languages: ["en"],
    tokenizer: { ...DEFAULT_HASHED_NGRAMS_SETTINGS, buckets: BUCKETS },
    model: { path: "model.onnx", sha256: createHash("sha256").update(bytes).digest("hex") },
    inputs: { ids: "ids", padId: 0 },
    outputs: { logits: "logits" },
    description: "Made for a test.",
    license: "Apache-2.0",
    ...changes,
  };
  await writeFiles(join(root, model, version), { "model.onnx": bytes, "manifest.json": manifest });
}

async function writeFiles(folder: string, files: FilesToWrite): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, contents] of Object.entries(files)) {
    if (contents === undefined) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    const isRaw = typeof contents === "string" || contents instanceof Uint8Array;
    await writeFile(join(folder, path), isRaw ? contents : JSON.stringify(contents));
  }
}
