import { SluiceError } from "../../core/errors.ts";
import type { EncoderConfig, EncoderHead } from "./encoder-config.ts";

/** One array of weights, row-major. */
export interface WeightTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Finds weights by their Hugging Face name, e.g. `bert.encoder.layer.0.output.dense.weight`; the weights of a linear
 * layer are `[out, in]`. Undefined when there are none of that name. The array may be kept, so it must not change.
 */
export type WeightReader = (name: string) => WeightTensor | undefined;

/** Name and shape of one array of weights. */
export interface WeightSlot {
  /** Without the prefix `bert.`, e.g. `encoder.layer.0.output.dense.bias`. */
  readonly name: string;
  readonly shape: readonly number[];
}

/** Every array that an encoder consists of, in the order of the computation. */
export function listEncoderWeights(config: EncoderConfig, head: EncoderHead): WeightSlot[] {
  const { hiddenSize: hidden, intermediateSize } = config;
  const embeddings = [
    { name: "embeddings.word_embeddings.weight", shape: [config.vocabSize, hidden] },
    { name: "embeddings.position_embeddings.weight", shape: [config.maxPositions, hidden] },
    { name: "embeddings.token_type_embeddings.weight", shape: [config.typeVocabSize, hidden] },
    ...listLayerNorm("embeddings.LayerNorm", hidden),
  ];
  const layers = Array.from({ length: config.layers }, (_, index) => {
    const layer = `encoder.layer.${index}`;
    return [
      ...listLinear(`${layer}.attention.self.query`, hidden, hidden),
      ...listLinear(`${layer}.attention.self.key`, hidden, hidden),
      ...listLinear(`${layer}.attention.self.value`, hidden, hidden),
      ...listLinear(`${layer}.attention.output.dense`, hidden, hidden),
      ...listLayerNorm(`${layer}.attention.output.LayerNorm`, hidden),
      ...listLinear(`${layer}.intermediate.dense`, hidden, intermediateSize),
      ...listLinear(`${layer}.output.dense`, intermediateSize, hidden),
      ...listLayerNorm(`${layer}.output.LayerNorm`, hidden),
    ];
  });
  return [...embeddings, ...layers.flat(), ...listHead(head, hidden)];
}

function listHead(head: EncoderHead, hidden: number): WeightSlot[] {
  if (head.kind === "hidden-states") return [];
  return [
    ...listLinear("pooler.dense", hidden, hidden),
    ...listLinear("classifier", hidden, head.labels),
  ];
}

function listLinear(name: string, inputs: number, outputs: number): WeightSlot[] {
  return [
    { name: `${name}.weight`, shape: [outputs, inputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

function listLayerNorm(name: string, size: number): WeightSlot[] {
  return [
    { name: `${name}.weight`, shape: [size] },
    { name: `${name}.bias`, shape: [size] },
  ];
}

/**
 * Reads every array of `slots`, by its name with or without `bert.` in front. Older checkpoints call the weights of a
 * LayerNorm `gamma` and `beta`; these names are tried too.
 *
 * @returns the values by slot name.
 * @throws SluiceError `invalid_argument` with one detail per array that is missing or has another shape.
 */
export function readEncoderWeights(
  slots: readonly WeightSlot[],
  read: WeightReader,
): ReadonlyMap<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  const problems: { field: string; problem: string }[] = [];
  for (const { name, shape } of slots) {
    const tensor = findTensor(name, read);
    const expected = `[${shape.join(", ")}]`;
    if (tensor === undefined) {
      problems.push({ field: name, problem: `must be ${expected}; found nothing` });
    } else if (
      tensor.shape.join() !== shape.join() ||
      tensor.values.length !== countElements(shape)
    ) {
      const found = `[${tensor.shape.join(", ")}] with ${tensor.values.length} values`;
      problems.push({ field: name, problem: `must be ${expected}; found ${found}` });
    } else {
      values.set(name, tensor.values);
    }
  }
  if (problems.length > 0) throw createWeightError(problems);
  return values;
}

const LISTED_PROBLEMS = 5;

function createWeightError(details: readonly { field: string; problem: string }[]): SluiceError {
  const listed = details.slice(0, LISTED_PROBLEMS).map((d) => `${d.field} ${d.problem}`);
  const rest = details.length - listed.length;
  const more = rest === 0 ? "" : `; and ${rest} more`;
  const message = `The weights do not fit the configuration: ${listed.join("; ")}${more}.`;
  return new SluiceError("invalid_argument", message, { details });
}

function findTensor(name: string, read: WeightReader): WeightTensor | undefined {
  const older = name
    .replace(/LayerNorm\.weight$/, "LayerNorm.gamma")
    .replace(/LayerNorm\.bias$/, "LayerNorm.beta");
  for (const candidate of new Set([name, older])) {
    const tensor = read(`bert.${candidate}`) ?? read(candidate);
    if (tensor !== undefined) return tensor;
  }
  return undefined;
}

function countElements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
