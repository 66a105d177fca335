import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import { SluiceError } from "../../../core/errors.ts";
import type { ModelRunner } from "../model-runner.ts";
import type { RunnerSpec } from "../runner-spec.ts";
import { createNgramKernel } from "./ngram-kernel.ts";

/** No n-gram classifier is larger; bigger files are not even read to find out. */
const MAX_KERNEL_MODEL_BYTES = 1024 ** 3;

/**
 * Loads a model into the TypeScript kernel.
 *
 * @returns undefined when the graph is not one that the kernel computes.
 * @throws SluiceError `invalid_argument` when the file cannot be read, or is an n-gram classifier that does not fit
 * the names, the padding id or the label count of `spec`.
 */
export async function loadKernelRunner(spec: RunnerSpec): Promise<ModelRunner | undefined> {
  const bytes = await readModel(spec.modelPath);
  const kernel = bytes === undefined ? undefined : createNgramKernel(bytes);
  if (kernel === undefined) return undefined;
  assertFits(spec, kernel.classes);
  return {
    description: "typescript kernel",
    pads: false,
    run: (batch) => batch.map(({ ids }) => kernel.score(ids)),
    close: async () => {},
  };
}

async function readModel(path: string): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    return size > MAX_KERNEL_MODEL_BYTES ? undefined : await readFile(path);
  } catch (cause) {
    throw new SluiceError("invalid_argument", `Cannot read the model file ${basename(path)}.`, {
      cause,
    });
  }
}

function assertFits(spec: RunnerSpec, classes: number): void {
  const found = { ids: "ids", padId: 0, logits: "logits", labels: classes };
  const expected = {
    ids: spec.inputs.ids ?? found.ids,
    padId: spec.inputs.padId,
    logits: spec.output.name ?? found.logits,
    labels: spec.output.width ?? found.labels,
  };
  if (JSON.stringify(found) === JSON.stringify(expected)) return;
  throw new SluiceError(
    "invalid_argument",
    `The model file does not fit its manifest: the graph has ${JSON.stringify(found)}, ` +
      `the manifest says ${JSON.stringify(expected)}.`,
  );
}
