import { SluiceError } from "../errors.ts";
import type { Lane } from "../inference/lanes.ts";
import { MODEL_DEFAULTS } from "../inference/request.ts";
import type { ItemResult } from "../inference/result.ts";
import type { InferencePipeline } from "../inference/run-inference.ts";
import { streamInference } from "../inference/stream-inference.ts";
import { wakeTask } from "../models/resolve-task.ts";
import type { ServingVersion } from "../models/serving-version.ts";
import type { EmbeddingModel, Wait } from "./collection.ts";

/** Texts that stand in the queue at once. */
const SLICE_TEXTS = 64;
const DIGEST_DIGITS = 16;

/** Which version of a model of embeddings makes a collection's vectors from now on. */
export async function chooseEmbedding(
  { registry }: Pick<InferencePipeline, "registry">,
  model: string | undefined,
  version: string | undefined,
): Promise<EmbeddingModel> {
  const tasks = ["embedding"] as const;
  const serving = await wakeTask(registry, { tasks, model, defaultModel: "" });
  const chosen = version === undefined ? serving : registry.resolve(serving.manifest.name, version);
  return describeEmbedding(chosen);
}

/**
 * Makes the vectors of texts, in their order.
 *
 * @param fieldOf what the caller knows the text at an index as, for messages
 * @throws SluiceError of the first text that fails; `unavailable` when the model is not there, `conflict` when it has other
 * weights than the collection was made with
 */
export async function embedTexts(
  texts: readonly string[],
  embedding: EmbeddingModel,
  pipeline: InferencePipeline,
  wait: Wait & { readonly lane: Lane; readonly fieldOf: (index: number) => string },
): Promise<readonly Float32Array[]> {
  const { model, version } = embedding;
  const waking = pipeline.registry.wake(model);
  if (waking !== undefined) await waking;
  assertSame(embedding, pipeline.registry.resolve(model, version));
  const inputs = texts.map((text) => ({ text, pair: undefined }));
  const { deadlineMs, cancellation, flow, lane } = wait;
  const request = {
    ...{ model, version, inputs, options: MODEL_DEFAULTS },
    ...{ deadlineMs, cancellation, flow, lane },
  };
  const vectors: Float32Array[] = [];
  for await (const { index, item } of streamInference(request, pipeline, SLICE_TEXTS)) {
    vectors[index] = toVector(item, wait.fieldOf(index));
  }
  return vectors;
}

export function describeEmbedding({ manifest, digest }: ServingVersion): EmbeddingModel {
  return {
    model: manifest.name,
    version: manifest.version,
    digest: digest.slice(0, DIGEST_DIGITS),
  };
}

function assertSame(embedding: EmbeddingModel, serving: ServingVersion): void {
  if (describeEmbedding(serving).digest === embedding.digest) return;
  const { model, version } = embedding;
  const message = `The collection was made with other files of ${model} ${version} than are loaded; make a new collection and add its items again.`;
  throw new SluiceError("conflict", message);
}

function toVector(item: ItemResult, field: string): Float32Array {
  if (!item.ok) {
    const { code, message, details = [] } = item.error;
    const problem = details[0]?.problem ?? message;
    throw new SluiceError(code, `${field}: ${message}`, { details: [{ field, problem }] });
  }
  if (item.prediction.kind === "vector") return item.prediction.values;
  throw new SluiceError("invalid_argument", "The model of this collection makes no vectors.");
}
