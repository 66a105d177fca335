import { readFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import { createOnnxBackend } from "../backends/onnx/create-onnx-backend.ts";
import { countCores } from "../backends/onnx/placement/count-cores.ts";
import { createTensorBackend } from "../backends/onnx/tensors/create-tensor-backend.ts";
import { startThread } from "../backends/onnx/workers/thread-supply.ts";
import type { Config } from "../config/schema.ts";
import { SluiceError } from "../core/errors.ts";
import type { TextManifest } from "../core/models/manifest.ts";
import { TOKENIZER_FILE_KIND } from "../core/models/token-fields.ts";
import type {
  ModelRuntime,
  StartedTensorModel,
  StartedTextModel,
} from "../core/ports/model-runtime.ts";
import type { ModelPackage } from "../core/ports/model-source.ts";
import type { TokenInspector } from "../core/ports/token-inspector.ts";
import type { Tokenizer } from "../core/ports/tokenizer.ts";
import { applyActivation } from "../core/text/labels.ts";
import { normalizeText } from "../core/text/normalize.ts";
import { mergeWindows } from "../core/text/windows.ts";
import { readPackage } from "../stores/model-packages/read-package.ts";
import { createHashedNgramsTokenizer } from "../tokenizers/hashed-ngrams/hashed-ngrams.ts";

/** The part of the composition root that brings model packages to life. */

/** Texts of ordinary length, to measure what a run costs before traffic comes. */
const WARM_UP_TEXTS = [
  "The battery lasts all day and the screen is gorgeous.",
  "Slow service, cold food, and they charged us twice. We will not be back.",
  "这家店的服务很好，下次还会再来。",
];

/** Where models load. */
export interface ModelThreads {
  /** Gives a thread that waits for what to load. */
  readonly startThread: () => Worker;
  /** The calling thread has done its part for a model; what is left to do is a thread's. */
  readonly handedOver?: () => void;
}

const NEW_THREADS: ModelThreads = { startThread: () => startThread() };

export function createModelRuntime(
  config: Config,
  threads: ModelThreads = NEW_THREADS,
): ModelRuntime {
  return {
    start: async (modelPackage) => {
      const { manifest } = modelPackage;
      return manifest.task === "tensor"
        ? await startTensorModel(config, modelPackage)
        : await startTextModel(config, { ...modelPackage, manifest }, threads);
    },
  };
}

/** A package whose model reads texts. */
type TextPackage = ModelPackage & { readonly manifest: TextManifest };

async function startTextModel(
  config: Config,
  modelPackage: TextPackage,
  { startThread, handedOver }: ModelThreads = NEW_THREADS,
): Promise<StartedTextModel> {
  const { manifest, modelPath } = modelPackage;
  const creatingTokenizer = createTokenizer(modelPackage);
  const creatingBackend = createOnnxBackend({
    modelPath,
    inputs: manifest.inputs,
    output: { ...manifest.output, width: toOutputWidth(manifest) },
    maxTokens: manifest.maxTokens,
    ...config.inference,
    runtime: toRuntime(config, manifest),
    workers: toWorkers(config),
    device: toDevice(config),
    warmup: creatingTokenizer.then(async (tokenizer) => {
      await nextTurn();
      return WARM_UP_TEXTS.flatMap((text) => tokenizer.encode(text).windows);
    }),
    startThread,
  });
  creatingTokenizer.then(handedOver, handedOver);
  // A model that is large is loaded by a thread, while this one makes the tokenizer.
  const [tokenizer, backend] = await Promise.all([creatingTokenizer, creatingBackend]);
  return {
    kind: "text",
    readsPairs: manifest.tokenizer.kind === TOKENIZER_FILE_KIND,
    tokenizer,
    backend,
    inspector: await createInspector(modelPackage),
  };
}

async function startTensorModel(
  config: Config,
  { modelPath }: ModelPackage,
): Promise<StartedTensorModel> {
  const { threadsPerWorker, niceness, hangTimeoutMs } = config.inference;
  const workers = toWorkers(config);
  const device = toDevice(config);
  const options = { modelPath, workers, threadsPerWorker, niceness, hangTimeoutMs, device };
  return { kind: "tensor", backend: await createTensorBackend(options) };
}

/** Only n-gram models can be ones that the kernel computes; a transformer's file need not be read to find that out. */
function toRuntime({ inference: { runtime } }: Config, { tokenizer }: TextManifest) {
  return runtime === "auto" && tokenizer.kind === TOKENIZER_FILE_KIND ? "onnxruntime" : runtime;
}

/** Processes that serve together share the cores. */
function toWorkers({ inference, server }: Config): number {
  if (inference.workers > 0 || server.processes === 1) return inference.workers;
  const cores = countCores();
  return Math.max(1, Math.floor(cores / (server.processes === 0 ? cores : server.processes)));
}

/** A vector may be of any length; labels may not. */
function toOutputWidth({ task, labels }: TextManifest): number | undefined {
  return task === "embedding" ? undefined : labels.length;
}

function toDevice({ device }: Config) {
  if (device.kind === "cpu") return { kind: "cpu" } as const;
  const [min, opt, max] = device.shapeProfile.split(" ").map((shape) => {
    const [batch = 1, tokens = 1] = shape.split("x").map(Number);
    return { batch, tokens };
  });
  const shapes =
    min === undefined || opt === undefined || max === undefined ? undefined : { min, opt, max };
  const { kind, index, fallback } = device;
  return { kind, index, fallback, shapes };
}

async function createTokenizer({ manifest, tokenizerPath }: TextPackage): Promise<Tokenizer> {
  const { tokenizer, maxTokens, windows } = manifest;
  if (tokenizer.kind === "hashed-ngrams") return createHashedNgramsTokenizer(tokenizer);
  if (tokenizer.kind === TOKENIZER_FILE_KIND && tokenizerPath !== undefined) {
    const { createFileTokenizer } = await import("./tokenizer.ts");
    return await createFileTokenizer(await readFile(tokenizerPath), { maxTokens, windows });
  }
  const message = `Unknown tokenizer "${tokenizer.kind}"; this version knows hashed-ngrams and ${TOKENIZER_FILE_KIND}.`;
  throw new SluiceError("invalid_argument", message);
}

async function createInspector({
  manifest,
  tokenizerPath,
}: TextPackage): Promise<TokenInspector | undefined> {
  if (manifest.tokenizer.kind !== TOKENIZER_FILE_KIND || tokenizerPath === undefined) {
    return undefined;
  }
  const { createFileInspector } = await import("./tokenizer.ts");
  return createFileInspector(tokenizerPath);
}

/** A package on its own, without a registry: what `sluice evaluate` measures. */
export interface OpenClassifier {
  readonly labels: readonly string[];
  /** One row of scores per text, as `/classify` would give them. */
  predict(texts: readonly string[]): Promise<readonly Float32Array[]>;
  close(): Promise<void>;
}

/**
 * Loads the package in `folder` as a server would.
 *
 * @throws SluiceError with the reason when it cannot be served, or when it is no classifier
 */
export async function openClassifier(config: Config, folder: string): Promise<OpenClassifier> {
  const modelPackage = await readPackage(folder);
  const { manifest } = modelPackage;
  if (manifest.task !== "classification") {
    const message = `This model's task is ${manifest.task}, not classification.`;
    throw new SluiceError("invalid_argument", message);
  }
  const { labels, defaultFunction } = manifest;
  const { tokenizer, backend } = await startTextModel(config, { ...modelPackage, manifest });
  return {
    labels,
    predict: async (texts) => {
      const rows = texts.map(async (text) => {
        const { windows } = tokenizer.encode(normalizeText(text));
        const outputs = await backend.run(windows);
        const merged = windows.map(({ ids }, i) => ({
          row: outputs[i] ?? new Float32Array(),
          tokens: ids.length,
        }));
        return applyActivation(mergeWindows(merged, false), defaultFunction);
      });
      return await Promise.all(rows);
    },
    close: () => backend.close(),
  };
}
