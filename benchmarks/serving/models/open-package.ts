import { createModelRuntime } from "../../../src/compose/models.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { parseFlags } from "../../../src/config/read-flags.ts";
import type { Config } from "../../../src/config/schema.ts";
import type { Backend } from "../../../src/core/ports/backend.ts";
import { readPackage } from "../../../src/stores/model-packages/read-package.ts";

/** A model package as a server would run it, in this process and without a server. */
export interface OpenPackage {
  /** All settings at their defaults, but for the flags given. */
  readonly config: Config;
  readonly backend: Backend;
  readonly modelPath: string;
  readonly padId: number;
  close(): Promise<void>;
}

/** @param flags settings as on the command line, e.g. `--inference.workers`, `2` */
export async function openPackage(
  folder: string,
  flags: readonly string[] = [],
): Promise<OpenPackage> {
  const { config } = loadConfig({ env: {}, flags: parseFlags(flags), directory: folder });
  const modelPackage = await readPackage(folder);
  const { manifest } = modelPackage;
  const started = await createModelRuntime(config).start(modelPackage);
  if (started.kind !== "text" || manifest.task === "tensor") {
    throw new Error(`${folder} reads no texts.`);
  }
  const { backend } = started;
  return {
    config,
    backend,
    modelPath: modelPackage.modelPath,
    padId: manifest.inputs.padId,
    close: () => backend.close(),
  };
}
