import type { TextManifest } from "../models/manifest.ts";
import type { TensorSignature, TensorSpec } from "../ports/tensor.ts";

/**
 * A model of texts as protocols of tensors see it: it reads a list of texts, and every output has one row per text.
 *
 * Names that two protocols agree on are shared; `tensorflow-serving` callers get every label with its score, in the
 * model's order, `open-inference` callers the best label beside them.
 */
export type TensorNaming = "open-inference" | "tensorflow-serving";

/** The texts themselves: BYTES [n]. */
export const TEXT_INPUT = "text";
/** The second text of each pair, for models that read two: BYTES [n]. */
export const PAIR_INPUT = "pair";

/** What a model of texts can be asked for beside what it answers unasked: one row per text each. */
export const TEXT_OUTPUTS = {
  /** Best label; empty when the model abstains. BYTES [n]. */
  label: "label",
  /** Score of the best label, or of the pair. FP32 [n]. */
  score: "score",
  /** A score per label, in the model's order. FP32 [n, labels]. */
  probabilities: "probabilities",
  /** The same under the name that TensorFlow models give it. */
  scores: "scores",
  /** The labels in the same order, once per text. BYTES [n, labels]. */
  labels: "labels",
  /** The vector of an embedding model. FP32 [n, dimensions]. */
  vector: "vector",
  /** What the model itself gave, before any function. FP32 [n, labels]. */
  logits: "logits",
  /** Pieces that each text was read in. INT32 [n]. */
  windows: "windows",
  /** Whether a part of a text was left out. BOOL [n]. */
  truncated: "truncated",
  /**
   * Why a text has no answer, and empty where it has one. BYTES [n]. Whoever asks for it gets an answer although some
   * texts have none; their other rows are empty, 0 or NaN.
   */
  error: "error",
} as const;

/** What a model of texts reads, and what it answers when nobody asks for anything in particular. Pure. */
export function textSignature(
  manifest: TextManifest,
  readsPairs: boolean,
  naming: TensorNaming,
): TensorSignature {
  const inputs: TensorSpec[] = [{ name: TEXT_INPUT, datatype: "BYTES", shape: [null] }];
  if (manifest.task === "scoring") {
    inputs.push({ name: PAIR_INPUT, datatype: "BYTES", shape: [null] });
  } else if (readsPairs) {
    inputs.push({ name: PAIR_INPUT, datatype: "BYTES", shape: [null], isOptional: true });
  }
  return { inputs, outputs: textOutputs(manifest, naming) };
}

/** The rest of what may be asked for by name. Pure. */
export function extraTextOutputs(
  manifest: TextManifest,
  naming: TensorNaming,
): readonly TensorSpec[] {
  const unasked = new Set(textOutputs(manifest, naming).map(({ name }) => name));
  return allTextOutputs(manifest).filter(({ name }) => !unasked.has(name));
}

function textOutputs(manifest: TextManifest, naming: TensorNaming): readonly TensorSpec[] {
  const names = UNASKED[manifest.task][naming];
  return allTextOutputs(manifest).filter(({ name }) => names.includes(name));
}

const { label, score, probabilities, scores, labels, vector } = TEXT_OUTPUTS;

/** By task: what is answered unasked. */
const UNASKED: Readonly<
  Record<TextManifest["task"], Readonly<Record<TensorNaming, readonly string[]>>>
> = {
  classification: {
    "open-inference": [label, score, probabilities],
    "tensorflow-serving": [scores, labels],
  },
  scoring: { "open-inference": [score], "tensorflow-serving": [score] },
  embedding: { "open-inference": [vector], "tensorflow-serving": [vector] },
};

function allTextOutputs({ task, labels: known }: TextManifest): readonly TensorSpec[] {
  const perText = [null];
  const perLabel = [null, known.length];
  const reading: readonly TensorSpec[] = [
    { name: TEXT_OUTPUTS.windows, datatype: "INT32", shape: perText },
    { name: TEXT_OUTPUTS.truncated, datatype: "BOOL", shape: perText },
    { name: TEXT_OUTPUTS.error, datatype: "BYTES", shape: perText },
  ];
  if (task === "embedding") {
    return [{ name: vector, datatype: "FP32", shape: [null, null] }, ...reading];
  }
  const logits: TensorSpec = { name: TEXT_OUTPUTS.logits, datatype: "FP32", shape: perLabel };
  const best: TensorSpec = { name: score, datatype: "FP32", shape: perText };
  if (task === "scoring") return [best, logits, ...reading];
  return [
    { name: label, datatype: "BYTES", shape: perText },
    best,
    { name: probabilities, datatype: "FP32", shape: perLabel },
    { name: scores, datatype: "FP32", shape: perLabel },
    { name: labels, datatype: "BYTES", shape: perLabel },
    logits,
    ...reading,
  ];
}
