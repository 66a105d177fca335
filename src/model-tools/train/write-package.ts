import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MANIFEST_SCHEMA, parseManifest } from "../../core/models/manifest.ts";
import type { HashedNgramsSettings } from "../../tokenizers/hashed-ngrams/settings.ts";

/** What goes into a model package besides the fixed parts of its manifest. */
export interface ModelPackage {
  readonly name: string;
  /** `major.minor.patch`. */
  readonly version: string;
  readonly labels: readonly string[];
  /** BCP 47 tags. */
  readonly languages: readonly string[];
  readonly description: string;
  /** SPDX identifier of the weights' licence. */
  readonly license: string;
  readonly tokenizer: HashedNgramsSettings;
  /** The ONNX file. */
  readonly modelBytes: Uint8Array;
  /** Markdown. */
  readonly card: string;
  /** Anything else worth keeping in the manifest: settings, data digests, metrics. JSON. */
  readonly training: Readonly<Record<string, unknown>>;
}

/**
 * Writes `model.onnx`, `manifest.json` and `MODEL_CARD.md` into `folder`, which is made if need be. Each file appears
 * whole or not at all, the manifest last: a server that watches the folder never finds half a package. Nothing in the
 * files depends on when or where they were written.
 *
 * @throws SluiceError `invalid_argument` when the parts make no valid manifest; then nothing is written.
 */
export async function writePackage(folder: string, contents: ModelPackage): Promise<void> {
  const { name, version, labels, languages, description, license, tokenizer } = contents;
  const manifest = {
    schema: MANIFEST_SCHEMA,
    name,
    version,
    task: "classification",
    problemType: "single_label_classification",
    labels,
    languages,
    description,
    license,
    model: { path: "model.onnx", sha256: toSha256(contents.modelBytes) },
    inputs: { ids: "ids", padId: 0 },
    outputs: { logits: "logits" },
    tokenizer,
    training: contents.training,
  };
  parseManifest(manifest);
  await mkdir(folder, { recursive: true });
  // First, because a folder with nothing but a graph would be a package, of task `tensor`.
  await writeWhole(join(folder, "MODEL_CARD.md"), contents.card);
  await writeWhole(join(folder, "model.onnx"), contents.modelBytes);
  await writeWhole(join(folder, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

/** Lower-case hex over all bytes. */
export function toSha256(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function writeWhole(path: string, contents: Uint8Array | string): Promise<void> {
  const unfinished = `${path}.part`;
  await writeFile(unfinished, contents);
  await rename(unfinished, path);
}
